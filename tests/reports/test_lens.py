"""The residual of ignoring the lens: numbers against OpenCV, pictures, and the command."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.behave.lenses import read_lenses
from rhobin.behave.writers.tree import write_calibs
from rhobin.reports.lens import lens_picture, lens_rings
from rhobin.types import Camera

KINECT = np.array([0.722746, -2.885590, 0.000783, -0.000143, 1.632723, 0.602199, -2.719626, 1.565053])
PINHOLE = Camera(np.array([[980.0, 0, 1019], [0, 981, 779], [0, 0, 1]]), np.eye(3), np.zeros(3), 2048, 1536)
CAMERA = replace(PINHOLE, distortion=KINECT)


@pytest.fixture
def root(tmp_path):
    write_calibs(tmp_path, {"Date01": [CAMERA, CAMERA, PINHOLE, CAMERA]})
    return tmp_path


def test_rings_are_the_distance_that_opencv_finds():
    rows, columns = np.mgrid[0:1536:16, 0:2048:16]
    pixels = np.stack([columns, rows], -1).astype(float).reshape(-1, 1, 2)
    exactly = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    found = cv2.undistortPoints(pixels, CAMERA.K, KINECT, P=CAMERA.K, criteria=exactly)
    distance = np.linalg.norm(found - pixels, axis=-1)
    rings = lens_rings(CAMERA)
    assert rings[-1].mean_px == pytest.approx(distance.mean(), abs=1e-3)
    assert rings[-1].max_px == pytest.approx(distance.max(), abs=1e-3)
    assert rings[-1].max_mm == pytest.approx(distance.max() / 980.5 * 2500, rel=1e-3)
    assert max(ring.max_px for ring in rings[:-1]) == rings[-1].max_px
    assert rings[0].mean_px < rings[3].mean_px


def test_a_pinhole_misses_nothing():
    assert all(ring.max_px == ring.max_mm == 0 for ring in lens_rings(PINHOLE))
    assert lens_picture({"kinect 0": PINHOLE}).shape == (400, 480, 3)


def test_the_picture_is_brighter_where_the_error_is_larger():
    picture = lens_picture({"a": CAMERA, "b": CAMERA})
    assert picture.shape == (400, 968, 3)
    assert np.array_equal(picture[60:, :480], picture[60:, 488:])
    distance = cv2.cvtColor(picture[40:], cv2.COLOR_BGR2GRAY)
    assert distance[2:20, 2:20].mean() > distance[170:190, 230:250].mean() + 20


def test_the_command_prints_a_row_for_each_ring_and_draws(root, capsys):
    assert main(["distortion", str(root), "--out", str(root / "deep" / "lens.png")]) == 0
    text = capsys.readouterr().out
    assert text.count("kinect 1") == 6
    assert "Without distortion in their files: kinect 2" in text
    assert f"{lens_rings(CAMERA)[-1].max_px:.2f}" in text
    assert cv2.imread(str(root / "deep" / "lens.png")).shape == (400, 4 * 488 - 8, 3)


def test_the_command_names_what_is_missing(root, tmp_path, capsys):
    assert main(["distortion", str(tmp_path / "none")]) == 1
    assert "expected" in capsys.readouterr().err
    assert main(["distortion", str(root), "--out", str(root / "lens.xyz")]) == 1
    assert "expected a name that ends in .png" in capsys.readouterr().err
    assert not (root / "lens.xyz").exists()
    (root / "calibs/intrinsics/3/calibration.json").unlink()
    assert main(["distortion", str(root)]) == 1
    assert "intrinsics/3/calibration.json" in capsys.readouterr().err


def test_intercap_cameras_are_read(tmp_path):
    folder = tmp_path / "Data" / "calibration_third"
    folder.mkdir(parents=True)
    for number in range(1, 7):
        content = {
            "c": [956.9, 555.9],
            "f": [918.4, 918.5],
            "k": KINECT.tolist(),
            "R": [0, 0, 0],
            "T": [0, 0, 0],
        }
        name = "Color.json" if number == 1 else f"Color_{number}.json"
        (folder / name).write_text(json.dumps(content))
    lenses = read_lenses(tmp_path)
    assert list(lenses) == [f"camera {number}" for number in range(1, 7)]
    assert np.array_equal(lenses["camera 6"].distortion, KINECT)
    assert (lenses["camera 1"].width, lenses["camera 1"].height) == (1920, 1080)
