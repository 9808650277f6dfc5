"""Lenses and placements: what a calibration file says, and what it may not say."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rhobin.behave.calibration import LensWarning, read_camera, read_lens
from rhobin.behave.writers.tree import write_calibs
from rhobin.geometry.distortion import project_distorted
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.types import Camera

KINECT = np.array([0.722746, -2.885590, 0.000783, -0.000143, 1.632723, 0.602199, -2.719626, 1.565053])
PINHOLE = Camera(
    np.array([[980.0, 0, 1019], [0, 981, 779], [0, 0, 1]]), np.eye(3), np.array([0.1, 0, 2]), 2048, 1536
)


def write_lens(root, **changes):
    write_calibs(root, {"Date01": [PINHOLE]})
    path = root / "calibs/intrinsics/0/calibration.json"
    content = json.loads(path.read_text())
    content["color"].update(changes)
    path.write_text(json.dumps(content))
    return path


def test_a_lens_comes_back_with_its_distortion(tmp_path):
    write_calibs(tmp_path, {"Date01": [replace(PINHOLE, distortion=KINECT)]})
    camera = read_camera(tmp_path / "calibs/Date01/config", tmp_path / "calibs/intrinsics", 0)
    assert np.array_equal(camera.distortion, KINECT)
    assert np.array_equal(camera.K, PINHOLE.K)
    assert np.array_equal(camera.t, PINHOLE.t)


def test_generated_cameras_are_pinholes(tmp_path):
    rig = camera_rig("Date03", 640)
    write_calibs(tmp_path, {"Date03": rig.cameras})
    for kinect in range(4):
        path = tmp_path / f"calibs/intrinsics/{kinect}/calibration.json"
        assert json.loads(path.read_text())["color"]["opencv"][4:] == [0.0] * 8
        assert read_lens(path).distortion is None
    assert all(camera.distortion is None for camera in rig.cameras)


@pytest.mark.parametrize("opencv", [[], [980.0, 981, 1019, 779]])
def test_a_file_without_distortion_is_a_pinhole(tmp_path, opencv):
    assert read_lens(write_lens(tmp_path, opencv=opencv)).distortion is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fx": -980.0}, "positive focal lengths.*found fx -980"),
        ({"fy": float("nan")}, "positive focal lengths"),
        ({"cx": 5000.0}, "principal point inside 2048x1536.*cx 5000"),
        ({"width": 0}, "principal point inside 0x1536"),
        ({"opencv": [1, float("nan"), 1, 1]}, "expected finite fx, fy, cx, cy in opencv"),
        ({"opencv": [1, 1, 1, 1, 0.1, 0.2]}, "expected 4, 5, 8, 12 or 14 finite distortion coefficients"),
        ({"opencv": [1, 1, 1, 1, float("inf"), *[0] * 7]}, "14 finite distortion coefficients"),
        ({"opencv": [1, 1, 1, 1, 1e300, *[0] * 7]}, "14 finite distortion coefficients"),
        ({"opencv": [1, 1, 1, 1, *[0.1] * 9, 0, 0, 0]}, "expected zeros behind the eighth"),
        ({"opencv": {"k1": 1}}, "expected color with fx"),
        ({"width": float("inf")}, "expected color with fx"),
        ({"width": 1e300}, "at most 20000 a side"),
        ({"height": None}, "expected color with fx"),
        ({"fx": 10**400}, "expected color with fx"),
        ({"fx": 1e9, "fy": 1e9}, "view of 2 to 120 degrees.*found fx 1e\\+09"),
        ({"fx": 490.0, "fy": 490.5}, "view of 2 to 120 degrees.*: 129 degrees"),
        ({"fy": 490.5}, "alike in x and y"),
        ({"fx": "wide"}, "expected color with fx"),
    ],
)
def test_impossible_lenses_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=rf"intrinsics/0/calibration.json: .*{message}"):
        read_lens(write_lens(tmp_path, **changes))


@pytest.mark.parametrize("length", [4, 5, 8, 12, 14])
def test_every_length_of_opencvs_lists_is_the_same_lens(tmp_path, length):
    """Rays bend as OpenCV itself bends them."""
    given = np.pad(KINECT[: min(length, 8)], (0, max(length - 8, 0)))
    camera = read_lens(write_lens(tmp_path, opencv=[980.0, 981, 1019, 779, *given]))
    points = np.array([[0.3, -0.4, 1.0], [-0.6, 0.2, 1.1]])
    theirs = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.K, given)[0].reshape(-1, 2)
    assert np.abs(project_distorted(points, camera.K, camera.distortion) - theirs).max() < 1e-9


def test_a_file_that_contradicts_itself_is_told(tmp_path):
    with pytest.warns(LensWarning, match=r"fx is 700, but opencv begins with 980, 981"):
        read_lens(write_lens(tmp_path, fx=700.0, fy=700.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotation": [[1e300] * 3] * 3}, "rotation is not orthonormal"),
        ({"rotation": [float("nan")] * 9}, "rotation or translation is not finite"),
        ({"translation": [0, 0, 2600.0]}, "expected a translation in metres, at most 20, found 2600"),
        ({"translation": [0, 0, 1e300]}, "expected a translation in metres"),
        ({"translation": [0, 0, 10**400]}, "expected rotation .9. and translation .3."),
        ({"rotation": None}, "expected rotation .9. and translation .3."),
    ],
)
def test_impossible_places_are_refused(tmp_path, changes, message):
    write_calibs(tmp_path, {"Date01": [PINHOLE]})
    path = tmp_path / "calibs/Date01/config/0/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ValueError, match=rf"config/0/config.json: {message}"):
        read_camera(tmp_path / "calibs/Date01/config", tmp_path / "calibs/intrinsics", 0)


def test_files_of_the_wrong_kind_are_refused(tmp_path):
    path = write_lens(tmp_path)
    path.write_text("[1, 2]")
    with pytest.raises(ValueError, match="expected a JSON object, found list"):
        read_lens(path)
    path.write_text('{"color": 3}')
    with pytest.raises(ValueError, match=r"calibration.json: expected color with fx"):
        read_lens(path)


def test_a_mirrored_placement_is_refused(tmp_path):
    write_calibs(tmp_path, {"Date01": [replace(PINHOLE, R=np.diag([1.0, 1, -1]))]})
    with pytest.raises(ValueError, match=r"config/0/config.json: rotation is not orthonormal"):
        read_camera(tmp_path / "calibs/Date01/config", tmp_path / "calibs/intrinsics", 0)
