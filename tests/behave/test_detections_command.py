"""`rhobin detections`: every file of a root is counted once, as found, empty, missing or malformed."""

import json

import pytest
from behave_tree import TRAIN

from rhobin.__main__ import main
from rhobin.behave.detections import check_detections

PERSON = {"body_joints": [0.5] * 75}
NOBODY = {"body_joints": [0.0] * 75}
GUESS = {"pose": [0.1] * 72, "betas": [0.0] * 10}


@pytest.fixture
def root(own_root):
    """One frame with all eight files, one with some of them; nothing elsewhere."""
    whole, partly = (own_root / "sequences" / TRAIN[0] / name for name in ("t0003.000", "t0004.000"))
    for kinect in range(4):
        (whole / f"k{kinect}.color.json").write_text(json.dumps(PERSON if kinect else NOBODY))
        (whole / f"k{kinect}.mocap.json").write_text(json.dumps(GUESS))
    (partly / "k0.color.json").write_text(json.dumps(PERSON))
    (partly / "k1.color.json").write_text("{")
    (partly / "k2.mocap.json").write_text(json.dumps({**GUESS, "pose": [0.1] * 156}))
    return own_root


def test_every_view_is_counted_once(root):
    checked = check_detections(root)
    openpose, mocap = checked["OpenPose"], checked["FrankMocap"]
    views = len(list(root.glob("sequences/*/*/k*.color.jpg")))
    for files in (openpose, mocap):
        assert (files.views, files.frames, files.whole_frames) == (views, views // 4, 1)
        assert files.found + files.nobody + len(files.missing) + len(files.malformed) == views
    assert (openpose.found, openpose.nobody) == (4, 1)
    assert (mocap.found, mocap.nobody) == (4, 0)
    assert [path.name for path in openpose.malformed] == ["k1.color.json"]
    assert [path.name for path in mocap.malformed] == ["k2.mocap.json"]
    assert not any(path.exists() for path in openpose.missing + mocap.missing)


def test_a_view_without_an_image_expects_no_detections(root):
    frame = root / "sequences" / TRAIN[0] / "t0003.000"
    before = check_detections(root)["OpenPose"]
    (frame / "k3.color.jpg").unlink()
    after = check_detections(root)["OpenPose"]
    assert (after.views, after.found) == (before.views - 1, before.found - 1)
    assert after.missing == before.missing


def test_the_command_names_what_is_wrong(root, capsys):
    assert main(["detections", str(root)]) == 1
    said = capsys.readouterr().out
    assert "1 of 10" in said
    assert "k1.color.json: not readable as JSON" in said
    assert "expected 72 numbers in pose, found 156" in said
    assert "more; --list names them" in said
    assert main(["detections", str(root), "--list"]) == 1
    said = capsys.readouterr().out
    assert "more;" not in said
    assert all(str(path) in said for path in check_detections(root)["FrankMocap"].missing)


def test_missing_files_alone_are_no_error(own_root, capsys):
    assert main(["detections", str(own_root)]) == 0
    assert "0 of 10" in capsys.readouterr().out


def test_a_root_without_frames_is_refused(tmp_path, capsys):
    assert main(["detections", str(tmp_path)]) == 1
    assert "expected" in capsys.readouterr().err
    (tmp_path / "sequences").mkdir()
    assert main(["detections", str(tmp_path)]) == 1
    assert "k1.color.jpg, found none" in capsys.readouterr().err
