"""Writers: what is written is what the release's layout says, complete or not there at all."""

import json
import pickle
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import trimesh

from rhobin.behave.layout import frame_name, is_frame_name, object_dirs, parse_sequence, subject_gender
from rhobin.behave.ply import write_ply
from rhobin.behave.splits import read_split
from rhobin.behave.writers.tree import write_calibs, write_frame, write_info, write_split
from rhobin.types import Camera


def view(height=48, width=64):
    rng = np.random.default_rng(0)
    mask = np.zeros((height, width), bool)
    mask[10:30, 20:40] = True
    color = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    full = np.zeros_like(mask)
    full[10:40, 20:40] = True
    return SimpleNamespace(
        color=color, person_mask=mask, object_mask=~mask, person_full=full, object_full=full
    )


def write(frame_dir, object_name="stool", **changes):
    values = {
        "pose": np.arange(156) / 100,
        "betas": np.arange(10) / 10,
        "trans": np.array([0.1, 0.2, 2.0]),
        "obj_angle": np.array([0.3, 0.2, 0.1]),
        "obj_trans": np.array([0.0, 0.5, 2.1]),
        "images": {k: view() for k in range(4)},
    }
    write_frame(frame_dir, object_name, **{**values, **changes})


@pytest.mark.parametrize(
    ("name", "folder"),
    [("chairwood", "chair"), ("yogaball", "sports ball"), ("basketball", "sports ball"), ("stool", "stool")],
)
def test_frame_has_the_files_of_the_release(tmp_path, name, folder):
    frame = tmp_path / "t0003.000"
    write(frame, name)
    with (frame / "person/fit02/person_fit.pkl").open("rb") as file:
        person = pickle.load(file)
    assert person["pose"].shape == (156,)
    assert person["pose"][17] == np.float32(0.17)
    with (frame / folder / "fit01" / f"{folder}_fit.pkl").open("rb") as file:
        placed = pickle.load(file)
    assert placed["angle"].tolist() == np.float32([0.3, 0.2, 0.1]).tolist()
    assert {array.dtype for array in (*person.values(), *placed.values())} == {np.dtype(np.float32)}
    for k in range(4):
        mask = cv2.imread(str(frame / f"k{k}.obj_rend_mask.jpg"), cv2.IMREAD_GRAYSCALE) > 127
        assert np.array_equal(mask, view().object_mask)
        assert (frame / f"k{k}.color.jpg").stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == ["t0003.000"]


def test_a_failing_write_leaves_the_old_frame(tmp_path):
    frame = tmp_path / "t0003.000"
    write(frame)
    with pytest.raises(ValueError, match="expected 156 numbers, found 72"):
        write(frame, pose=np.zeros(72))
    assert (frame / "k3.color.jpg").is_file()


def test_same_values_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name)
    for file in (tmp_path / "a").rglob("*.*g"):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    fit = "person/fit02/person_fit.pkl"
    assert (tmp_path / "a" / fit).read_bytes() == (tmp_path / "b" / fit).read_bytes()


def test_ply_reads_back(tmp_path):
    box = trimesh.creation.box()
    write_ply(tmp_path / "x" / "box.ply", box.vertices, box.faces)
    back = trimesh.load(tmp_path / "x" / "box.ply", process=False)
    assert np.array_equal(back.vertices, box.vertices)
    assert np.array_equal(back.faces, box.faces)


def test_info_calibration_and_split(tmp_path):
    K = np.array([[300.0, 0, 31], [0, 301.0, 23], [0, 0, 1]])
    turn = cv2.Rodrigues(np.array([0.0, 1.0, 0.0]))[0]
    cameras = [Camera(K, np.eye(3), np.zeros(3), 64, 48), Camera(K, turn, np.ones(3), 64, 48)]
    write_calibs(tmp_path, {"Date01": cameras, "Date03": cameras[::-1]})
    config = json.loads((tmp_path / "calibs/Date01/config/1/config.json").read_text())
    assert np.allclose(np.reshape(config["rotation"], (3, 3)), turn)
    lens = json.loads((tmp_path / "calibs/intrinsics/0/calibration.json").read_text())["color"]
    assert (lens["fx"], lens["cy"], lens["width"]) == (300.0, 23.0, 64)
    with pytest.raises(ValueError, match="other intrinsics on Date02"):
        write_calibs(tmp_path, {"Date01": cameras, "Date02": [Camera(2 * K, turn, np.ones(3), 64, 48)]})

    sequence = tmp_path / "sequences" / "Date03_Sub06_stool_sit"
    write_info(sequence, "stool", extra={"seed": 3})
    info = json.loads((sequence / "info.json").read_text())
    assert (info["gender"], info["cat"], info["seed"]) == ("female", "stool", 3)
    assert (sequence / info["config"] / "0" / "config.json").is_file()
    write_split(tmp_path, ["a"], ["b"])
    assert json.loads((tmp_path / "split.json").read_text()) == {"train": ["a"], "test": ["b"]}
    write_split(tmp_path, ["a"], ["b"], ["c"])
    assert read_split(tmp_path) == {"train": ["a"], "test": ["b"], "val": ["c"]}


def test_names():
    name = parse_sequence("Date02_Sub05_toolbox_part2")
    assert (name.date, name.subject, name.object_name, name.action) == ("Date02", 5, "toolbox", "part2")
    assert parse_sequence("Date03_Sub03_boxlong").action == ""
    with pytest.raises(ValueError, match="not of the form"):
        parse_sequence("holiday")
    assert frame_name(3) == "t0003.000"
    assert is_frame_name("t0131.000")
    assert not is_frame_name(".t0131.000.part")
    assert object_dirs("chairblack") == ("chair", "chairblack")
    assert [subject_gender(s) for s in (5, 6)] == ["male", "female"]
    with pytest.raises(ValueError, match="1 to 8"):
        subject_gender(9)
