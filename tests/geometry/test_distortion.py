"""The lens model against OpenCV's and against itself."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhobin.geometry.camera import project, resize_intrinsics
from rhobin.geometry.distortion import (
    distort,
    distort_pixels,
    project_distorted,
    undistort,
    undistort_pixels,
)

# Two lenses as factories measure them: InterCap's first camera, and an Azure Kinect's colour camera.
LENSES = {
    "intercap": [0.535593, -2.509073, 0.000718, -0.000244, 1.362741, 0.414365, -2.340596, 1.297858],
    "kinect": [0.722746, -2.885590, 0.000783, -0.000143, 1.632723, 0.602199, -2.719626, 1.565053],
    "plain": [-0.1, 0.02, 0.001, -0.002, 0.0, 0.0, 0.0, 0.0],
}
K = np.array([[979.784, 0, 1018.952], [0, 979.840, 779.486], [0, 0, 1]])
LENS = pytest.mark.parametrize("lens", LENSES)


def coefficients(name):
    return np.array(LENSES[name])


def grid(width=2048, height=1536, step=32):
    rows, columns = np.mgrid[0 : height + 1 : step, 0 : width + 1 : step]
    return np.stack([columns, rows], axis=-1).astype(float)


@LENS
def test_projection_agrees_with_opencv(lens):
    rng = np.random.default_rng(0)
    points = rng.uniform([-1.0, -0.75, 1.0], [1.0, 0.75, 1.0], (5000, 3)) * rng.uniform(0.5, 6, (5000, 1))
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), K, coefficients(lens))
    found = project_distorted(points, K, coefficients(lens))
    assert np.abs(found - expected[:, 0]).max() < 1e-6
    assert np.abs(found - project(points, K)).max() > 1, "the lens must do something for this test to see it"


@LENS
def test_undistortion_agrees_with_opencv(lens):
    pixels = grid()
    exactly = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    flat = pixels.reshape(-1, 1, 2)
    expected = cv2.undistortPoints(flat, K, coefficients(lens), P=K, criteria=exactly).reshape(pixels.shape)
    settled = np.abs(distort_pixels(expected, K, coefficients(lens)) - pixels).max(-1) < 1e-9
    assert settled.mean() > 0.9
    found = undistort_pixels(pixels, K, coefficients(lens))
    assert np.abs(found - expected)[settled].max() < 1e-6


@LENS
def test_undistortion_undoes_distortion_over_the_whole_image(lens):
    pixels = grid()
    back = distort_pixels(undistort_pixels(pixels, K, coefficients(lens)), K, coefficients(lens))
    assert np.abs(back - pixels).max() < 1e-6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.05, 0.05), min_size=8, max_size=8), st.floats(-1, 1), st.floats(-0.75, 0.75))
def test_any_mild_lens_can_be_undone(values, x, y):
    ray, lens = np.array([[x, y]]), np.array(values)
    assert np.abs(undistort(distort(ray, lens), lens) - ray).max() < 1e-8


def test_no_coefficients_change_nothing():
    pixels = grid()
    assert np.array_equal(distort(pixels / 2048, np.zeros(8)), pixels / 2048)
    assert np.abs(undistort_pixels(pixels, K, np.zeros(8)) - pixels).max() < 1e-9


def test_coefficients_do_not_depend_on_the_images_size():
    lens, pixels = coefficients("kinect"), grid()
    half = resize_intrinsics(K, 0.5, 0.5)
    small = distort_pixels((pixels + 0.5) / 2 - 0.5, half, lens)
    assert np.abs((small + 0.5) * 2 - 0.5 - distort_pixels(pixels, K, lens)).max() < 1e-9


def test_a_pixel_that_no_ray_reaches_is_nan():
    """A barrel this strong folds back: nothing lands beyond its largest radius."""
    barrel = np.array([-0.3, 0, 0, 0, 0, 0, 0, 0.0])
    largest = 2 / 3 / np.sqrt(0.9)
    found = undistort(np.array([[0.9 * largest, 0], [1.1 * largest, 0]]), barrel)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
