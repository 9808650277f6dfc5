"""A root of rendered objects as a release."""

import shutil

import cv2
import numpy as np
import pytest
from render_tree import OBJECTS, make_renders
from scipy.spatial.transform import Rotation

from rhobin.behave.builder import EmptySplitError
from rhobin.behave.detect import detect_layout
from rhobin.behave.read import read_release
from rhobin.behave.renders import NOCS_ONE, part_folder, read_part, write_part
from rhobin.objects.names import OBJECT_NAMES


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_renders(tmp_path_factory.mktemp("renders") / "root")


@pytest.fixture
def own(root, tmp_path):
    return shutil.copytree(root, tmp_path / "own")


def test_the_layout_is_seen(root):
    assert detect_layout(root) == "renders"


def test_every_view_shows_an_object_and_nobody(root):
    release = read_release(root)
    assert release.sequences == [f"renders_{name}_00000" for name in OBJECTS]
    assert len(release.views.frame) == len(release.cameras) == 12
    assert not release.frames.has_body.any()
    assert release.frames.has_object.all()
    assert [OBJECT_NAMES[index] for index in release.frames.object_id] == ["boxtiny"] * 6 + ["chairwood"] * 6
    assert (release.views.shown == [False, True]).all()
    color, person, mask = release.view_files(8)
    assert person is None
    assert color.name == "000002.color.jpg"
    assert color.is_file()
    assert mask.is_file()


def test_poses_and_cameras_put_the_coordinates_onto_their_pixels(root):
    release = read_release(root)
    for row in range(12):
        color, _, mask = release.view_files(row)
        template = release.templates[OBJECTS[row // 6]]
        nocs = cv2.imread(str(color).replace("color.jpg", "nocs.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        v, u = np.nonzero(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE))
        low, high = template.verts.min(axis=0), template.verts.max(axis=0)
        points = (nocs[v, u] / NOCS_ONE - 0.5) * (high - low).max() + (low + high) / 2
        R = Rotation.from_rotvec(release.frames.obj_angle[row]).as_matrix()
        camera = release.cameras[release.views.camera[row]]
        pixels = (points @ R.T + release.frames.obj_trans[row]) @ camera.K.T
        assert np.abs(pixels[:, :2] / pixels[:, 2:] - np.stack([u, v], axis=1)).max() < 0.02
        assert (camera.width, camera.height) == (64, 64)


def test_there_are_no_test_views(root):
    with pytest.raises(EmptySplitError, match="have training views only, no test split"):
        read_release(root, "test")


def test_unfinished_parts_wait(own):
    (part_folder(own, "boxtiny", 0) / "poses.npz").unlink()
    assert read_release(own).sequences == ["renders_chairwood_00000"]
    (part_folder(own, "chairwood", 0) / "poses.npz").unlink()
    with pytest.raises(
        EmptySplitError, match=r"no part of the renders is complete; run rhobin synth-objects"
    ):
        read_release(own)


def change(file, **arrays):
    np.savez(file, **{**vars(read_part(file.parent)), **arrays})


def test_what_systems_leave_behind_is_no_object(root, own):
    (own / "renders/Thumbs.db").write_bytes(b"")
    for name in (
        "renders/._boxtiny",
        "renders/boxtiny/__MACOSX/._poses.npz",
        "renders/boxtiny/old/poses.npz",
    ):
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_bytes(b"\0\5\26\7")
    assert read_release(own).data_hash == read_release(root).data_hash
    assert read_release(own).skips == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.write_bytes(b"no archive"), "broken_archive"),
        (lambda file: file.write_bytes(b""), "broken_archive"),
        (lambda file: file.write_bytes(file.read_bytes()[:200]), "broken_archive"),
        (lambda file: np.savez(file, index=np.arange(3)), "broken_archive"),
        (
            lambda file: np.savez(file, **{key: np.zeros(3) for key in ("index", "R", "t", "K")}),
            "broken_archive",
        ),
        (lambda file: change(file, t=np.full((6, 3), np.nan)), "broken_archive"),
        (lambda file: change(file, t=np.full((6, 3), 1e30)), "broken_archive"),
        (lambda file: change(file, R=-read_part(file.parent).R), "broken_archive"),
        (lambda file: file.parent.parent.rename(file.parent.parent.with_name("table")), "unknown_object"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_noted(own, damage, reason):
    damage(part_folder(own, "boxtiny", 0) / "poses.npz")
    release = read_release(own)
    assert release.sequences == ["renders_chairwood_00000"]
    assert [skip.reason for skip in release.skips] == [reason]


def test_another_format_is_refused(own):
    (own / "renders.json").write_text('{"format": 2, "size": 64, "objects": {}}')
    with pytest.raises(
        ValueError, match="has format 2, this version reads 1; run rhobin synth-objects again"
    ):
        read_release(own)


def test_other_poses_change_the_hash(root, own):
    folder = part_folder(own, "boxtiny", 0)
    assert read_release(own).data_hash == read_release(root).data_hash
    views = read_part(folder)
    views.t[0] += 0.001
    write_part(folder, views)
    assert read_release(own).data_hash != read_release(root).data_hash
