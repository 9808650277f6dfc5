"""OpenPose, FrankMocap and VisTracker's packed files: what is in them, and what is wrong with them."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from behave_tree import TRAIN

from rhobin.behave.readers.frankmocap import mocap_file, read_mocap
from rhobin.behave.readers.joblib_files import load_joblib
from rhobin.behave.readers.openpose import keypoints_file, read_keypoints
from rhobin.behave.readers.packed import read_packed, read_packed_release
from rhobin.pickles import BrokenFileError, UnsafePickleError

BY_JOBLIB = Path(__file__).parent / "joblib_1.6_GT-packed.pkl"  # written by joblib 1.6 itself


def keypoints(**changes):
    rng = np.random.default_rng(0)
    sizes = {"body_joints": 25, "face_joints": 70, "left_hand_joints": 21, "right_hand_joints": 21}
    content = {key: rng.uniform(0, 1, 3 * count).tolist() for key, count in sizes.items()}
    return {**content, **changes}


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_keypoints_come_back(tmp_path):
    content = keypoints(face_joints=[0.0] * 210)
    found = read_keypoints(written(keypoints_file(tmp_path, 2), content))
    assert keypoints_file(tmp_path, 2).name == "k2.color.json"
    assert np.array_equal(found.body[1], content["body_joints"][3:6])
    assert found.right_hand.shape == (21, 3)
    assert found.missing == ("face",)
    assert found.found


def test_all_zeros_say_that_nobody_was_found(tmp_path):
    content = {key: [0.0] * len(values) for key, values in keypoints().items()}
    found = read_keypoints(written(tmp_path / "k1.color.json", content))
    assert not found.found
    assert found.missing == ("body", "face", "left_hand", "right_hand")


def test_body_only_files_are_read_nested_or_flat(tmp_path):
    body = np.arange(75.0).reshape(25, 3) / 75
    found = read_keypoints(written(tmp_path / "k1.color.json", {"body_joints": body.tolist()}))
    assert np.array_equal(found.body, body)
    assert found.missing == ("face", "left_hand", "right_hand")


DAMAGE = [
    ("", "not readable as JSON"),
    ('{"body_joints": [1, 2', "not readable as JSON"),
    ("[1, 2]", "expected a JSON object, found list"),
    ({"pose": 1}, "expected body_joints, found pose"),
    (keypoints(body_joints=[0.0] * 54), r"expected body_joints of 25 x \(x, y, confidence\)"),
    (keypoints(face_joints=None), "expected face_joints of 70"),
    (keypoints(left_hand_joints=["a"] * 63), "expected left_hand_joints of 21"),
    (keypoints(body_joints=[float("nan")] * 75), "body_joints is not finite"),
    (keypoints(body_joints=[1e300, 0.5, 0.5] * 25), "expected body_joints in pixels, at most 100000"),
    (keypoints(body_joints=[500.0] * 75), "expected confidences of 0 to 1 in body_joints, found 500"),
]


@pytest.mark.parametrize(("content", "message"), DAMAGE, ids=[str(i) for i in range(len(DAMAGE))])
def test_damaged_keypoints_name_the_file(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"k0\.color\.json: {message}"):
        read_keypoints(written(tmp_path / "k0.color.json", content))


def test_missing_detections_name_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"k0\.color\.json"):
        read_keypoints(tmp_path / "k0.color.json")
    with pytest.raises(FileNotFoundError, match=r"k3\.mocap\.json"):
        read_mocap(mocap_file(tmp_path, 3))


def test_mocap_comes_back(tmp_path):
    content = {"pose": (np.arange(72) / 7).tolist(), "betas": [[0.5] * 10]}
    guess = read_mocap(written(mocap_file(tmp_path, 1), content))
    assert np.array_equal(guess.pose, np.arange(72) / 7)
    assert guess.betas.tolist() == [0.5] * 10
    assert not guess.missing
    nothing = written(tmp_path / "k2.mocap.json", {"pose": [0] * 72, "betas": [0] * 10})
    assert read_mocap(nothing).missing


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"pose": [0.0] * 72}, r"expected betas of 10 numbers: KeyError"),
        ({"pose": [0.0] * 156, "betas": [0.0] * 10}, "expected 72 numbers in pose, found 156"),
        ({"pose": ["x"] * 72, "betas": [0.0] * 10}, "expected pose of 72 numbers"),
        ({"pose": [float("inf")] * 72, "betas": [0.0] * 10}, "pose is not finite"),
    ],
)
def test_damaged_mocap_names_the_file(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"k1\.mocap\.json: {message}"):
        read_mocap(written(mocap_file(tmp_path, 1), content))


def test_a_file_of_joblibs_own_is_read():
    packed = read_packed(BY_JOBLIB)
    rng = np.random.default_rng(7)
    assert packed.frames == ["t0003.000", "t0003.033", "t0003.067"]
    assert np.array_equal(packed.poses, rng.normal(0, 0.1, (3, 156)).astype(np.float16))
    assert np.array_equal(packed.betas, rng.normal(0, 1, (3, 10)).astype(np.float32))
    assert np.array_equal(packed.obj_angles, rng.normal(0, 1, (3, 3)))
    assert np.array_equal(packed.joints2d, np.round(rng.uniform(0, 1, (3, 4, 25, 3)), 1).astype(np.float16))
    assert packed.mocap_poses[2, 3].tolist() == (np.arange(72) / 16).tolist()


def pack(frames, **changes):
    content = dict(load_joblib(BY_JOBLIB))
    rows = np.zeros(len(frames), int)
    for key, value in content.items():
        content[key] = value[rows] if isinstance(value, np.ndarray) else value
    return {**content, "frames": list(frames), **changes}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: c.pop("trans"), r"expected trans of shape \(2, 3\): KeyError"),
        (lambda c: c.update(poses=c["poses"][:1]), r"expected poses of shape \(2, 156\), found \(1, 156\)"),
        (lambda c: c.update(frames=["t0003.000"] * 2), "a frame is listed twice"),
        (lambda c: c.pop("frames"), "expected frames, poses.*; found betas"),
        (lambda c: c.update(joints2d=np.zeros((2, 4, 18, 3))), r"expected joints2d of shape \(2, 4, 25, 3\)"),
    ],
)
def test_damaged_packs_name_the_file_and_the_key(tmp_path, damage, message):
    content = pack(["t0003.000", "t0004.000"])
    damage(content)
    path = tmp_path / "a_GT-packed.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=rf"a_GT-packed\.pkl: {message}"):
        read_packed(path)


class Bomb:
    def __reduce__(self):
        return (print, ("ran",))


def test_hostile_truncated_and_compressed_packs_are_refused(tmp_path, capsys):
    path = tmp_path / "a_GT-packed.pkl"
    path.write_bytes(pickle.dumps({"frames": Bomb()}))
    with pytest.raises(UnsafePickleError, match=r"asks for builtins\.print"):
        load_joblib(path)
    assert capsys.readouterr().out == ""
    whole = BY_JOBLIB.read_bytes()
    for length in (0, 100, 1200, len(whole) - 5):
        path.write_bytes(whole[:length])
        with pytest.raises(BrokenFileError, match=r"a_GT-packed\.pkl is not a complete file"):
            load_joblib(path)
    path.write_bytes(b"\x78\x5e" + whole)
    with pytest.raises(BrokenFileError, match=r"is compressed; write it again with joblib.dump.*compress=0"):
        load_joblib(path)
    huge = whole.replace(b"K\x03K\x9c\x86", b"K\xffK\xff\x86", 1)
    assert huge != whole
    path.write_bytes(huge)
    with pytest.raises(BrokenFileError, match="ends within an array of shape"):
        load_joblib(path)


def test_packs_and_images_become_a_release(own_root, tmp_path):
    packs = tmp_path / "packs"
    packs.mkdir()
    shutil.rmtree(own_root / "sequences" / TRAIN[0] / "t0003.000" / "person")
    first = pack(["t0003.000", "t0004.000", "t0004.033"])
    first["trans"] = np.array([[0, 0, 2.0], [0, np.nan, 2], [0, 0, 3]])
    (packs / f"{TRAIN[0]}_GT-packed.pkl").write_bytes(pickle.dumps(first))
    (packs / f"{TRAIN[1]}_GT-packed.pkl").write_bytes(BY_JOBLIB.read_bytes()[:900])
    (packs / f"{TRAIN[2]}_GT-packed.pkl").write_bytes(pickle.dumps({"frames": Bomb()}))
    release = read_packed_release(own_root, packs, "train", (0, 1, 2, 3))
    assert release.layout == "30fps"
    assert release.frames.name.tolist() == ["t0003.000"]
    assert np.array_equal(release.frames.pose[0], first["poses"][0])
    assert release.frames.trans[0].tolist() == [0, 0, 2]
    assert [file.is_file() for view in range(4) for file in release.view_files(view)] == [True] * 12
    reasons = [skip.reason for skip in release.skips]
    expected = [
        "bad_parameters",
        *["missing_color"] * 4,
        "broken_pickle",
        "unsafe_pickle",
        "missing_sequence",
    ]
    assert reasons == expected
    assert "t0004.000 are not finite" in release.skips[0].detail
