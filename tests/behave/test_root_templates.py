"""The templates of a root: symmetries from ref.pkl, the command that checks them."""

import json
import pickle
import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.__main__ import main
from rhobin.behave.read import read_release
from rhobin.behave.ref import write_ref
from rhobin.behave.root_templates import SymmetryWarning, root_templates
from rhobin.behave.writers.templates import write_templates
from rhobin.objects.load import load_templates


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("templates")
    write_templates(root, load_templates())
    return root


@pytest.fixture
def root(written, tmp_path):
    (tmp_path / "objects").symlink_to(written / "objects")
    write_ref(tmp_path / "ref.pkl", {}, {name: load_templates()[name] for name in ("stool", "boxlarge")})
    return tmp_path


def edit(root, change):
    content = pickle.loads((root / "ref.pkl").read_bytes())
    change(content["templates"])
    (root / "ref.pkl").write_bytes(pickle.dumps(content))


def test_a_ref_that_lists_the_same_changes_nothing(root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        templates = root_templates(root)
    assert all(templates[name] is own for name, own in load_templates().items())


def test_a_refs_symmetries_take_the_place_of_ours(root):
    half = Rotation.from_rotvec([0, np.pi, 0]).as_matrix()
    edit(root, lambda t: t["stool"].update(symmetries=[{"R": half, "t": np.zeros(3)}]))
    stool = root_templates(root)["stool"]
    assert np.allclose(stool.symmetries, [np.eye(3), half])
    assert len(stool.group.rotations()) == 1
    assert root_templates(root)["boxlarge"] is load_templates()["boxlarge"]


def quarter_box(templates):
    R = Rotation.from_rotvec([0, 0.7, 0]).as_matrix()
    templates["boxlarge"]["symmetries"] = [{"R": R, "t": np.zeros(3)}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            quarter_box,
            r"ref.pkl: boxlarge: symmetry 1 moves its surface by .* mm; its symmetries are not used",
        ),
        (lambda t: t["stool"].update(verts=t["stool"]["verts"][::-1]), r"stool is another mesh than the one"),
        (lambda t: t["stool"].pop("faces"), r"symmetries are our own: .*ref.pkl: stool has no 'faces'"),
    ],
)
def test_symmetries_that_cannot_be_used_are_told(root, change, message):
    edit(root, change)
    with pytest.warns(SymmetryWarning, match=message):
        templates = root_templates(root)
    assert templates["stool"] is load_templates()["stool"]


def test_reading_a_root_uses_them(own_root):
    write_ref(own_root / "ref.pkl", {}, {"stool": load_templates()["stool"]})
    edit(own_root, lambda t: t["stool"].update(symmetries=[{"R": np.eye(3), "t": np.zeros(3)}]))
    assert len(read_release(own_root, "train").templates["stool"].symmetries) == 1


def test_the_command_writes_and_checks_keypoints(root, capsys):
    out = root / "keypoints.json"
    assert main(["templates", str(root), "--out", str(out)]) == 0
    record = json.loads(out.read_text())
    assert len(record) == 20
    assert record["stool"]["sha256"] == load_templates()["stool"].sha256
    assert main(["templates", str(root), "--check", str(out)]) == 0
    record["stool"]["keypoints"] = list(range(8))
    out.write_text(json.dumps(record))
    capsys.readouterr()
    assert main(["templates", str(root), "--check", str(out)]) == 1
    assert "stool: keypoints" in capsys.readouterr().out
    assert main(["templates", str(root / "none")]) == 1
    assert "objects folder at" in capsys.readouterr().err
