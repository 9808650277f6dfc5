"""RANSAC-PnP: poses of points with known pixels, with outliers, noise and too little to see."""

import cv2
import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from rhobin.geometry.pnp import MIN_POINTS, ransac_pnp

K = np.array([[90.0, 0, 31.5], [0, 90.0, 31.5], [0, 0, 1]])


def scene(seed=0, count=400, depth=2.0):
    """Points, a pose, and the pixels that cv2 projects them to."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.4, 0.4, (count, 3))
    turn, t = Rotation.random(random_state=rng), np.array([0.1, -0.2, depth])
    pixels, _ = cv2.projectPoints(points, turn.as_rotvec(), t, K, None)
    return points, pixels[:, 0], turn.as_matrix(), t


@pytest.mark.parametrize("count", [MIN_POINTS, 50, 2000])
def test_exact_points_give_the_pose(count):
    points, pixels, R, t = scene(seed=3, count=count)
    found = ransac_pnp(points, pixels, K)
    np.testing.assert_allclose(found.R, R, atol=1e-6)
    np.testing.assert_allclose(found.t, t, atol=1e-6)
    assert found.inliers == 1


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_outliers_are_left_out_and_counted(share):
    points, pixels, R, t = scene(seed=1)
    rng = np.random.default_rng(5)
    wrong = rng.permutation(len(points)) < share * len(points)
    pixels[wrong] = rng.uniform(0, 64, (wrong.sum(), 2))
    found = ransac_pnp(points, pixels, K, threshold_px=1.0)
    assert np.degrees(Rotation.from_matrix(found.R.T @ R).magnitude()) < 0.5
    assert np.linalg.norm(found.t - t) < 0.01
    assert found.inliers == pytest.approx(1 - share, abs=0.02)


def test_wrong_places_in_known_pixels_do_not_pull_the_pose():
    """Errors of predicted coordinates are in the points: least squares of pixels put the object too far."""
    away, theirs = [], []
    for seed in range(8):
        points, pixels, R, t = scene(seed, count=800)
        points = points + np.random.default_rng(seed).normal(size=points.shape) * 0.02
        found = ransac_pnp(points, pixels, K, threshold_px=6.0)

        def missed(pose, points=points, pixels=pixels):
            return (cv2.projectPoints(points, pose[:3], pose[3:], K, None)[0][:, 0] - pixels).ravel()

        best = least_squares(missed, [*Rotation.from_matrix(R).as_rotvec(), *t]).x
        assert np.degrees(Rotation.from_matrix(found.R.T @ R).magnitude()) < 0.5
        away.append(found.t[2] - t[2])
        theirs.append(best[5] - t[2])
    assert abs(np.mean(away)) < 0.5 * abs(np.mean(theirs))


def test_the_same_input_gives_the_same_pose_whatever_ran_before():
    points, pixels, *_ = scene(seed=1)
    pixels[::2] = np.random.default_rng(0).uniform(0, 64, pixels[::2].shape)
    first = ransac_pnp(points, pixels, K)
    cv2.setRNGSeed(77)
    ransac_pnp(*scene(seed=9)[:2], K)
    again = ransac_pnp(points, pixels, K)
    np.testing.assert_array_equal(first.R, again.R)
    np.testing.assert_array_equal(first.t, again.t)


@pytest.mark.parametrize(
    "points", [np.zeros((0, 3)), np.ones((5, 3)), np.zeros((60, 3)), np.full((60, 3), np.nan)]
)
def test_nothing_is_found_where_there_is_nothing_to_find(points):
    pixels = np.random.default_rng(0).uniform(0, 64, (len(points), 2))
    assert ransac_pnp(points, pixels, K) is None


def test_pixels_of_nothing_have_few_inliers_if_any():
    rng = np.random.default_rng(0)
    found = ransac_pnp(rng.uniform(-0.4, 0.4, (500, 3)), rng.uniform(0, 64, (500, 2)), K)
    assert found is None or found.inliers < 0.1


def test_points_in_a_plane_and_on_a_line():
    points, _, R, t = scene(seed=4)
    flat = points * [1, 1, 0]
    pixels, _ = cv2.projectPoints(flat, cv2.Rodrigues(R)[0], t, K, None)
    found = ransac_pnp(flat, pixels[:, 0], K)
    np.testing.assert_allclose(found.R, R, atol=1e-5)
    line = points * [1, 0, 0]
    pixels, _ = cv2.projectPoints(line, cv2.Rodrigues(R)[0], t, K, None)
    found = ransac_pnp(line, pixels[:, 0], K)
    assert found is None or np.isfinite(found.R).all()


@pytest.mark.parametrize("width", [0.0, 1e-4, 1e-3, 3e-3])
def test_points_that_are_almost_one_give_no_error(width):
    """A network that says almost the same of every pixel: a pose or none, but nothing that stops."""
    rng = np.random.default_rng(0)
    K = np.array([[60.0, 0, 15.5], [0, 60, 15.5], [0, 0, 1]])
    points = 0.1 + width * rng.uniform(-0.5, 0.5, (80, 3))
    there = points + np.array([0.0, 0.0, 0.05])
    pixels = there @ K.T
    found = ransac_pnp(points, pixels[:, :2] / pixels[:, 2:], K)
    assert found is None or np.isfinite(found.t).all()
