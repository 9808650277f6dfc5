"""`rhobin object add`: what it writes, what reads it, and what it refuses."""

import json
import shutil

import cv2
import numpy as np
import pytest
from trimesh import creation

from rhobin.__main__ import main
from rhobin.assets import Assets
from rhobin.behave.add_object import add_object
from rhobin.behave.root_templates import root_templates
from rhobin.behave.writers.templates import write_templates
from rhobin.body.load import load_bodies
from rhobin.objects.catalogue import built_in
from rhobin.objects.load import load_template
from rhobin.objects.regions import farthest_points


@pytest.fixture(scope="module")
def parcel(tmp_path_factory):
    mesh = creation.box((300, 200, 100))
    mesh.visual.face_colors = (180, 140, 90, 255)
    path = tmp_path_factory.mktemp("meshes") / "parcel.ply"
    mesh.export(path)
    return path


@pytest.fixture(scope="module")
def root(parcel, tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    assert main(["object", "add", str(parcel), "--unit", "mm", "--out", str(root)]) == 0
    return root


@pytest.fixture
def own(root, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(root, tmp_path / "own")


def state(root, **group):
    (root / "objects" / "parcel" / "symmetry.json").write_text(json.dumps(group))


def again(parcel, root, *more):
    return main(["object", "add", str(parcel), "--unit", "mm", "--out", str(root), *more])


def test_the_root_gives_the_object_to_every_reader(root):
    template = root_templates(root)["parcel"]
    assert len(template.symmetries) == 4
    assert np.abs(template.centre).max() < 1e-4
    assert (template.colors == (180, 140, 90)).all()
    assert Assets.of(load_bodies(), root_templates(root)).names == ("parcel",)
    record = json.loads((root / "objects" / "parcel" / "object.json").read_text())
    assert record["sha256"] == template.sha256
    assert record["keypoints"] == template.kpt_ids.tolist()
    assert record["regions"] == farthest_points(template.verts, 64).tolist()


def test_the_object_goes_with_its_symmetry_where_templates_are_written(root, tmp_path):
    write_templates(tmp_path, root_templates(root))
    copied, own = root_templates(tmp_path)["parcel"], root_templates(root)["parcel"]
    assert copied.sha256 == own.sha256
    np.testing.assert_array_equal(copied.symmetries, own.symmetries)
    np.testing.assert_array_equal(copied.colors, own.colors)


def test_the_picture_shows_the_object_and_its_copies(root):
    picture = cv2.imread(str(root / "objects" / "parcel" / "parcel.png"))
    assert picture.shape[1] > 1200
    third = picture[-320:]
    green = (third[..., 1] > third[..., 2] + 40) & (third[..., 1] > third[..., 0] + 40)
    assert green.mean() > 0.03, "copies that lie on the mesh are green"


def test_a_hand_written_group_is_honoured_until_it_is_deleted(parcel, own, capsys):
    state(own, order=2, axis=[0, 0, 1])
    assert len(load_template(own / "objects", "parcel").symmetries) == 2
    assert again(parcel, own) == 0
    assert "as symmetry.json states: a half turn about (0, 0, 1)" in capsys.readouterr().out
    assert len(root_templates(own)["parcel"].symmetries) == 2
    (own / "objects" / "parcel" / "symmetry.json").unlink()
    assert again(parcel, own) == 0
    assert len(root_templates(own)["parcel"].symmetries) == 4


def test_a_wrong_group_is_refused_by_the_command_and_by_readers(parcel, own, capsys):
    state(own, order=4, axis=[0, 0, 1])
    assert again(parcel, own) == 1
    assert "quarter turns about (0, 0, 1) moves the surface by" in capsys.readouterr().err
    with pytest.raises(ValueError, match="moves the surface by"):
        root_templates(own)


def test_behaves_objects_and_others_share_no_root_unless_told(parcel, tmp_path, capsys):
    write_templates(tmp_path, {"stool": built_in("stool")})
    assert again(parcel, tmp_path) == 1
    assert "has stool: with parcel it would mix" in capsys.readouterr().err
    assert again(parcel, tmp_path, "--mix") == 0
    assert "warning: this root mixes" in capsys.readouterr().out
    templates = root_templates(tmp_path)
    assert list(templates) == ["stool", "parcel"]
    assert templates["stool"] is built_in("stool")


def test_somebody_elses_object_is_not_overwritten(parcel, tmp_path, capsys):
    write_templates(tmp_path, {"stool": built_in("stool")})
    before = (tmp_path / "objects" / "stool" / "stool_f1000.ply").read_bytes()
    assert again(parcel, tmp_path, "--name", "stool") == 1
    assert "did not write" in capsys.readouterr().err
    assert (tmp_path / "objects" / "stool" / "stool_f1000.ply").read_bytes() == before


def test_a_stated_symmetry_of_a_behave_object_comes_first(tmp_path):
    write_templates(tmp_path, {"stool": built_in("stool")})
    (tmp_path / "objects" / "stool" / "symmetry.json").write_text('{"order": 2}')
    stool = root_templates(tmp_path)["stool"]
    assert len(stool.symmetries) == 2
    assert stool.grips == built_in("stool").grips


def test_the_size_is_checked(parcel, tmp_path, capsys):
    assert main(["object", "add", str(parcel), "--out", str(tmp_path)]) == 1
    assert "--unit mm makes it 30 cm" in capsys.readouterr().err
    assert not (tmp_path / "objects").exists()
    with pytest.raises(ValueError, match="largest side"):
        add_object(parcel, tmp_path, "parcel")
