"""A pose from points and the pixels that see them, whatever share of them is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

MIN_POINTS = 6
"""Fewer points or inliers than this say nothing about a pose."""

_SAMPLED = 300  # of the points, evenly: hypotheses are drawn and counted on these
_SURE = 0.999  # RANSAC stops once it has drawn a clean sample with this probability
_ROUNDS = 5  # of taking the inliers of a pose, and the pose of the inliers
_NEAR = 0.01  # metres; a point nearer the camera's plane agrees with no pose

Points = Float[np.ndarray, "N 3"]
Pixels = Float[np.ndarray, "N 2"]
Matrix = Float[np.ndarray, "3 3"]
Vector = Float[np.ndarray, "3"]
_Pose = tuple[Vector, Vector]  # rotation vector and translation


@dataclass(frozen=True)
class PnP:
    """A pose that pixels agree on.

    Attributes:
        R: (3, 3) rotation, object to camera.
        t: (3,) translation, metres.
        inliers: share of all points that the pose projects within the threshold, in (0, 1].
    """

    R: Matrix
    t: Vector
    inliers: float


def ransac_pnp(
    points: Points, pixels: Pixels, K: Matrix, threshold_px: float = 2.0, iterations: int = 100
) -> PnP | None:
    """The pose that most pixels agree on (decision 0120).

    Samples of four points propose poses (AP3P). The inliers of the best are solved together (SQPNP) and
    taken anew, five times. SQPNP's errors are in the object's space, where those of predicted coordinates
    are; the pixels are exact. OpenCV seeds each call alike, so the same input gives the same pose.

    Args:
        points: (N, 3) places on the object, metres, its own frame.
        pixels: (N, 2) where they are seen; the centre of the first pixel is (0, 0).
        K: (3, 3) intrinsics of those pixels.
        threshold_px: largest distance in pixels at which a point agrees with a pose.
        iterations: samples at most.

    Returns:
        The pose; None where there are too few points, or no pose has enough inliers.
    """
    points, pixels, K = (np.ascontiguousarray(a, np.float64) for a in (points, pixels, K))
    pose = _proposed(points, pixels, K, threshold_px, iterations)
    for _ in range(_ROUNDS):
        near = _inliers(pose, points, pixels, K, threshold_px)
        if near.sum() < MIN_POINTS:
            return None
        pose = _solved(points[near], pixels[near], K)
    near = _inliers(pose, points, pixels, K, threshold_px)
    if pose is None or near.sum() < MIN_POINTS:
        return None
    return PnP(_matrix(pose[0]), pose[1], float(near.mean()))


def _proposed(
    points: Points, pixels: Pixels, K: Matrix, threshold_px: float, iterations: int
) -> _Pose | None:
    if len(points) < MIN_POINTS:
        return None
    some = np.linspace(0, len(points) - 1, min(len(points), _SAMPLED)).round().astype(int)
    found, turn, t, _ = cv2.solvePnPRansac(
        points[some],
        pixels[some],
        K,
        None,
        iterationsCount=iterations,
        reprojectionError=threshold_px,
        confidence=_SURE,
        flags=cv2.SOLVEPNP_AP3P,
    )
    return (turn[:, 0], t[:, 0]) if found else None


def _solved(points: Points, pixels: Pixels, K: Matrix) -> _Pose | None:
    """The pose of all points together; None where they are almost one point, which OpenCV refuses."""
    try:
        found, turn, t = cv2.solvePnP(points, pixels, K, None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:
        return None
    return (turn[:, 0], t[:, 0]) if found else None


def _inliers(
    pose: _Pose | None, points: Points, pixels: Pixels, K: Matrix, threshold_px: float
) -> Bool[np.ndarray, " N"]:
    """Points that a pose projects to where they are seen; none behind the camera, none without a pose."""
    if pose is None or not np.isfinite(pose).all():
        return np.zeros(len(points), bool)
    places = (points @ _matrix(pose[0]).T + pose[1]) @ K.T
    depth = np.maximum(places[:, 2:], _NEAR)
    missed = np.linalg.norm(places[:, :2] / depth - pixels, axis=1)
    return (missed < threshold_px) & (places[:, 2] > _NEAR)


def _matrix(turn: Vector) -> Matrix:
    return cv2.Rodrigues(turn)[0]
