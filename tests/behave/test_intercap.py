"""InterCap: a tree of its layout comes back, with what it lacks said."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from data_samples import truth_of
from scipy.spatial.transform import Rotation

from rhobin.behave.manifest import build_manifest
from rhobin.behave.ply import write_ply
from rhobin.behave.read import read_release
from rhobin.behave.readers.intercap_files import CAMERAS, OBJECT_FILES, calibration_file, view_patterns
from rhobin.behave.splits import carve_validation
from rhobin.geometry.camera import project, world_to_camera
from rhobin.objects.load import load_templates

SEQUENCES = ("01/01/Seg_0", "03/08/Seg_1", "05/09/Seg_0", "09/10/Seg_2")
LENS = [0.535593, -2.509073, 0.000718, -0.000244, 1.362741, 0.414365, -2.340596, 1.297858]
SHAPES = {"01": "boxtiny", "08": "trashbin", "09": "toolbox", "10": "stool"}
FRAMES = 2


def write_calibration(root):
    """Six cameras on an arc about a point 2.5 m before the first."""
    rng = np.random.default_rng(0)
    for number in CAMERAS:
        R = np.array([0, (number - 1) * 0.4, 0]) + (number > 1) * rng.normal(0, 0.02, 3)
        T = np.zeros(3) if number == 1 else np.array([-np.sin(R[1]) * 2.5, 0, 2.5 * (1 - np.cos(R[1]))])
        content = {"c": [956.96, 555.94], "f": [918.46, 918.44], "k": LENS, "R": R.tolist(), "T": T.tolist()}
        path = calibration_file(root, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def parameters(frames, seed):
    rng = np.random.default_rng(seed)
    sizes = {
        "global_orient": 3,
        "body_pose": 63,
        "transl": 3,
        "betas": 10,
        "left_hand_pose": 12,
        "ob_pose": 3,
    }
    content = {key: rng.normal(0, 0.3, (frames, size)).astype(np.float32) for key, size in sizes.items()}
    content["ob_trans"] = np.tile([0.1, 0.2, 2.5], (frames, 1)) + rng.normal(0, 0.1, (frames, 3))
    return content


def write_views(root, sequence, frame):
    for number in CAMERAS:
        for patterns in view_patterns(sequence, number, f"{frame:05d}"):
            path = root / patterns[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".jpg", np.full((90, 160), 200, np.uint8))[1].tobytes())


def make_intercap(root, tuned=("03/08/Seg_1",)):
    """A tree of InterCap's layout; returns the parameters by sequence."""
    write_calibration(root)
    templates, written = load_templates(), {}
    for file in OBJECT_FILES.values():
        shape = templates[SHAPES.get(file[:2], "boxsmall")]
        write_ply(root / "objs" / file, shape.verts + np.array([0.3, 0.1, -0.2]), shape.faces)
    for seed, sequence in enumerate(SEQUENCES):
        written[sequence] = content = parameters(FRAMES, seed)
        place = root / ("Res_tuned" if sequence in tuned else "Res") / sequence
        place.mkdir(parents=True)
        if sequence in tuned:
            rows = [{key: value[i] for key, value in content.items()} for i in range(FRAMES)]
            (place / "res_tuned.pkl").write_bytes(pickle.dumps(rows))
        else:
            listed = {**content, "ob_pose": [row[None] for row in content["ob_pose"]]}
            (place / "res_2.pkl").write_bytes(pickle.dumps(listed, protocol=2))
        for frame in range(FRAMES):
            write_views(root, sequence, frame)
    return written


@pytest.fixture
def tree(tmp_path):
    return tmp_path, make_intercap(tmp_path)


def test_everything_comes_back(tree):
    root, written = tree
    release = read_release(root, "train")
    assert release.layout == "intercap"
    assert release.skips == []
    assert release.sequences == ["01_01_0", "03_08_1", "05_09_0"]
    assert release.frames.name.tolist() == ["00000", "00001"] * 3
    assert release.frames.gender.tolist() == [0, 0, 1, 1, 0, 0]
    names = sorted(OBJECT_FILES)
    assert [names[i] for i in release.frames.object_id[::2]] == ["suitcase1", "bottle", "cup"]
    assert not release.frames.has_body.any()
    assert np.isnan(release.frames.visible).all()
    for row, sequence in ((1, "01/01/Seg_0"), (2, "03/08/Seg_1")):
        content, frame = written[sequence], row % 2
        assert np.allclose(release.frames.pose[row, :3], content["global_orient"][frame])
        assert np.allclose(release.frames.pose[row, 3:66], content["body_pose"][frame])
        assert not release.frames.pose[row, 66:].any()
        assert not release.frames.betas[row].any()
        assert np.allclose(release.frames.obj_angle[row], content["ob_pose"][frame])
        assert np.allclose(release.frames.obj_trans[row], content["ob_trans"][frame])
    assert release.views.kinect.tolist() == list(CAMERAS) * 6
    assert all(file.is_file() for view in range(36) for file in release.view_files(view))
    assert release.view_files(1)[0] == root / "RGBD_Images/01/01/Seg_0/Frames_Cam2/color/00000.jpg"


def test_test_subjects_and_single_cameras(tree):
    root, _ = tree
    release = read_release(root, "test", cameras=(1,))
    assert release.sequences == ["09_10_2"]
    assert set(release.views.kinect) == {1}
    assert np.array_equal(release.cameras[0].R, np.eye(3))


def test_templates_lie_about_their_vertex_mean(tree):
    templates = read_release(tree[0], "train").templates
    assert list(templates) == sorted(OBJECT_FILES)
    stool = load_templates()["stool"]
    assert np.allclose(templates["chair2"].verts, stool.verts, atol=1e-5)
    assert templates["chair2"].kpts.shape == (8, 3)


def test_cameras_map_to_the_world(tree):
    """World to camera as the files say is the inverse of what the record holds."""
    root, _ = tree
    camera = read_release(root, "train").cameras[3]
    content = json.loads(calibration_file(root, 4).read_text())
    point = np.array([[0.3, -0.2, 2.8]])
    expected = point @ Rotation.from_rotvec(content["R"]).as_matrix().T + content["T"]
    assert np.allclose(world_to_camera(point, camera), expected)
    assert np.allclose(camera.K[:2, 2], content["c"])
    assert np.array_equal(camera.distortion, LENS)
    seen = cv2.projectPoints(point, np.array(content["R"]), np.array(content["T"]), camera.K, None)[0]
    assert np.allclose(project(world_to_camera(point, camera), camera.K), seen[0])


def test_what_is_missing_is_skipped_and_named(tree):
    root, _ = tree
    (root / "objs/08.ply").write_bytes(b"ply\nbroken")
    Path(root / view_patterns("01/01/Seg_0", 2, "00001")[1][0]).unlink()
    (root / view_patterns("01/01/Seg_0", 3, "00000")[0][0]).write_bytes(b"")
    content = parameters(FRAMES, 2)
    content["ob_trans"][1, 0] = np.nan
    (root / "Res/05/09/Seg_0/res_2.pkl").write_bytes(pickle.dumps(content))
    with pytest.warns(UserWarning, match=r"bottle cannot be used: .*08.ply"):
        release = read_release(root, "train")
    found = {(skip.reason, skip.file, skip.views) for skip in release.skips}
    assert found == {
        ("unknown_object", "RGBD_Images/03/08/Seg_1", 0),
        ("missing_person_mask", "mask/01/01/Seg_0/Frames_Cam2/mask/00001_person.jpg", 1),
        ("empty_file", "RGBD_Images/01/01/Seg_0/Frames_Cam3/color/00000.jpg", 1),
        ("bad_parameters", "Res/05/09/Seg_0/res_2.pkl", 6),
    }
    assert release.exceptions == {"template-08-broken": ["03/08/Seg_1"]}
    assert "challenge's package of 2024" in next(s.detail for s in release.skips if "mask" in s.reason)
    assert sorted(release.templates)[release.frames.object_id[-1]] == "cup"


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (b"\x80", "broken_pickle", "not a complete pickle"),
        (pickle.dumps({"ob_pose": print}), "unsafe_pickle", "builtins.print"),
        (
            pickle.dumps({"ob_pose": np.zeros((2, 3))}),
            "bad_parameters",
            "expected global_orient of 3 numbers",
        ),
        (
            pickle.dumps({**parameters(2, 0), "ob_trans": np.zeros((1, 3))}),
            "bad_parameters",
            "as many bodies",
        ),
        (None, "missing_object_fit", "no pickle at"),
    ],
)
def test_damaged_parameters_are_named(tree, content, reason, detail):
    path = tree[0] / "Res/01/01/Seg_0/res_2.pkl"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (skip,) = read_release(tree[0], "train").skips
    assert (skip.reason, skip.file) == (reason, "Res/01/01/Seg_0/res_2.pkl")
    assert detail in skip.detail


def test_damaged_cameras_are_errors_that_name_the_file(tree):
    path = calibration_file(tree[0], 5)
    path.write_text(path.read_text().replace('"T"', '"U"'))
    with pytest.raises(ValueError, match=r"Color_5.json: expected c \(2\), f \(2\), R \(3\), T \(3\)"):
        read_release(tree[0], "train")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"Color_5.json"):
        read_release(tree[0], "train")


def test_manifest_and_validation_know_intercap(tree):
    release = read_release(tree[0], "train")
    train = build_manifest([release])["splits"]["train"]
    assert train["objects"] == {"bottle": 2, "cup": 2, "suitcase1": 2}
    assert train["kinects"]["k6"] == 6
    assert carve_validation(release.sequences, [2, 2, 2], 0.3) in (["01_01_0"], ["03_08_1"], ["05_09_0"])


def test_frames_without_a_body_have_targets_of_their_objects(tree):
    release = read_release(tree[0], "train")
    truth = truth_of(release)
    assert not truth.has_human.any()
    assert truth.has_object.all()
    for view, frame in enumerate(truth.frame):
        template = truth.assets.templates[int(truth.object_id[frame])]
        assert np.abs(template.kpts @ truth.obj_R[view].T + truth.obj_t[view] - truth.kpts[view]).max() < 1e-5
