"""Which body models a root is read with: asked for, or noted by the generator."""

import json
import shutil

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.behave.layout import SYNTHETIC
from rhobin.behave.own_body import choose_body, made_with
from rhobin.body.chosen import body_hash, body_name, is_stand_in
from rhobin.body.load import find, load_bodies


@pytest.fixture(scope="module")
def folders(tmp_path_factory, oracle_folder):
    """SMPL-H files that are no stand-in, and copies of the stand-in under their names."""
    place = tmp_path_factory.mktemp("bodies")
    for gender in ("male", "female"):
        files = {"own": oracle_folder / f"smplh_{gender}.npz", "copied": find(gender, None)}
        for name, file in files.items():
            (place / name).mkdir(exist_ok=True)
            shutil.copy(file, place / name / f"SMPLH_{gender}.npz")
    return place


def mark(root, **recipe):
    (root / SYNTHETIC).write_text(json.dumps(recipe))
    return root


def test_a_root_without_a_mark_has_to_be_told(tmp_path, folders):
    with pytest.raises(ValueError, match=r"no synth.json.*found no data.body. Say data.body=FOLDER"):
        choose_body(tmp_path, None)
    with pytest.raises(ValueError, match=r"found no --body. Say --body FOLDER.* or --body standin"):
        choose_body(tmp_path, None, "--body ")
    assert choose_body(tmp_path, "standin") is None
    assert choose_body(tmp_path, folders / "own") == folders / "own"


def test_a_generated_root_has_the_body_that_it_was_generated_with(tmp_path, folders):
    root = mark(tmp_path, size="demo", **made_with(None))
    assert choose_body(root, None) is None
    assert choose_body(root, "standin") is None
    assert choose_body(root, folders / "copied") == folders / "copied"
    with pytest.raises(ValueError, match=r"with the stand-in body .*expected data.body=standin, found .*own"):
        choose_body(root, folders / "own")
    own = folders / "own"
    mark(root, **made_with(own))
    assert choose_body(root, str(own)) == own
    for other in (None, "standin", folders / "copied"):
        with pytest.raises(ValueError, match=f"expected data.body={own}, found"):
            choose_body(root, other)


def test_the_hash_is_of_the_files_not_of_where_they_lie(tmp_path, folders):
    moved = shutil.copytree(folders / "own", tmp_path / "moved")
    known = body_hash(moved)
    assert known == body_hash(folders / "own")
    assert known not in (body_hash(None), body_hash(folders / "copied"))
    with np.load(moved / "SMPLH_male.npz") as file:
        content = dict(file)
    np.savez(moved / "SMPLH_male.npz", **{**content, "shapedirs": 1.01 * content["shapedirs"]})
    assert body_hash(moved) != known
    assert is_stand_in(folders / "copied")
    assert not is_stand_in(folders / "own")
    assert body_name(load_bodies(folders / "copied")) == body_name(load_bodies()) == "stand-in"
    assert "stand-in" not in body_name(load_bodies(folders / "own"))


def test_relayout_asks_and_hands_the_mark_on(own_root, tmp_path, capsys):
    command = ["relayout", str(own_root), str(tmp_path / "out"), "--layout"]
    assert main([*command, "2024"]) == 0
    assert json.loads((tmp_path / "out" / SYNTHETIC).read_text()) == made_with(None)
    shutil.rmtree(tmp_path / "out")
    (own_root / SYNTHETIC).unlink()
    assert main([*command, "2024"]) == 1
    assert "Say --body FOLDER" in capsys.readouterr().err
    assert main([*command, "2023"]) == 0
    assert not (tmp_path / "out" / SYNTHETIC).exists()
    shutil.rmtree(tmp_path / "out")
    assert main([*command, "2024", "--body", "standin"]) == 0
