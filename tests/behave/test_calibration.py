"""Lenses and placements: what a calibration file says, and what it may not say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rhobin.behave.calibration import read_camera, read_lens
from rhobin.behave.writers.tree import write_calibs
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
        ({"opencv": [1, 1, 1, 1, 0.1, 0.2]}, "expected 8 finite distortion coefficients"),
        ({"opencv": [1, 1, 1, 1, float("inf"), *[0] * 7]}, "expected 8 finite"),
        ({"fx": "wide"}, "expected color with fx"),
    ],
)
def test_impossible_lenses_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=rf"intrinsics/0/calibration.json: .*{message}"):
        read_lens(write_lens(tmp_path, **changes))


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
