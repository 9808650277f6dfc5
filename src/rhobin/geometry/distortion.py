"""Lens distortion: the rational model with eight coefficients of the Kinects' and InterCap's calibrations.

Coefficients come in the order of the calibration files, which is OpenCV's: k1, k2, p1, p2, k3, k4, k5, k6.
With r2 = x^2 + y^2 at depth one,

    gain = (1 + k1 r2 + k2 r2^2 + k3 r2^3) / (1 + k4 r2 + k5 r2^2 + k6 r2^3)
    x' = x gain + 2 p1 x y + p2 (r2 + 2 x^2)
    y' = y gain + p1 (r2 + 2 y^2) + 2 p2 x y
"""

import numpy as np
from jaxtyping import Float

NEWTON_STEPS = 20
CONVERGED = 1e-10  # at depth one: a ten-millionth of a pixel

Coefficients = Float[np.ndarray, "8"]
Rays = Float[np.ndarray, "*B N 2"]


def distort(rays: Rays, coefficients: Coefficients) -> Rays:
    """Where the lens puts points of the plane at depth one.

    Args:
        rays: x, y at depth one, camera frame.
        coefficients: k1, k2, p1, p2, k3, k4, k5, k6.

    Returns:
        x', y' at depth one, to be multiplied by the intrinsics.
    """
    x, y = rays[..., 0], rays[..., 1]
    p1, p2 = coefficients[2], coefficients[3]
    r2 = x * x + y * y
    gain, _ = _gain(r2, coefficients)
    return np.stack(
        [
            x * gain + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * gain + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )


def undistort(rays: Rays, coefficients: Coefficients) -> Rays:
    """The inverse of `distort`, by Newton's method from the distorted points.

    Args:
        rays: x', y' at depth one as seen through the lens.
        coefficients: k1, k2, p1, p2, k3, k4, k5, k6.

    Returns:
        x, y at depth one; NaN where no nearby point is seen there, far outside what the lens was fitted to.
    """
    found = np.array(rays, np.float64)
    for _ in range(NEWTON_STEPS):
        off = distort(found, coefficients) - rays
        if np.abs(off).max(initial=0) < CONVERGED:
            return found
        found -= _solve(_slopes(found, coefficients), off)
    off = np.abs(distort(found, coefficients) - rays).max(axis=-1)
    found[~(off < CONVERGED)] = np.nan
    return found


def project_distorted(
    points: Float[np.ndarray, "*B N 3"], K: Float[np.ndarray, "3 3"], coefficients: Coefficients
) -> Rays:
    """Pixels at which a camera with a lens sees camera-frame points.

    Args:
        points: metres, in front of the camera.
        K: intrinsics without skew, pixels.
        coefficients: k1, k2, p1, p2, k3, k4, k5, k6.
    """
    return _to_pixels(distort(points[..., :2] / points[..., 2:], coefficients), K)


def distort_pixels(pixels: Rays, K: Float[np.ndarray, "3 3"], coefficients: Coefficients) -> Rays:
    """Pixels of the real image that show what a pinhole with the same intrinsics has at `pixels`."""
    return _to_pixels(distort(_to_rays(pixels, K), coefficients), K)


def undistort_pixels(pixels: Rays, K: Float[np.ndarray, "3 3"], coefficients: Coefficients) -> Rays:
    """Pixels of a pinhole with the same intrinsics that show what the real image has at `pixels`."""
    return _to_pixels(undistort(_to_rays(pixels, K), coefficients), K)


def _gain(r2: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The radial factor and its derivative by r2."""
    k1, k2, _, _, k3, k4, k5, k6 = coefficients
    above = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    below = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    above_slope = k1 + r2 * (2 * k2 + 3 * r2 * k3)
    below_slope = k4 + r2 * (2 * k5 + 3 * r2 * k6)
    gain = above / below
    return gain, (above_slope - gain * below_slope) / below


def _slopes(rays: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx'/dx, dx'/dy = dy'/dx, dy'/dy."""
    x, y = rays[..., 0], rays[..., 1]
    p1, p2 = coefficients[2], coefficients[3]
    gain, slope = _gain(x * x + y * y, coefficients)
    across = 2 * (x * y * slope + p1 * x + p2 * y)
    return (
        gain + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x,
        across,
        gain + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x,
    )


def _solve(slopes: tuple[np.ndarray, np.ndarray, np.ndarray], off: np.ndarray) -> np.ndarray:
    """The step that a symmetric 2x2 system asks for, at most one unit, so that wild points stay finite."""
    a, b, d = slopes
    determinant = a * d - b * b
    determinant = np.where(np.abs(determinant) < 1e-12, 1e-12, determinant)
    step = np.stack([d * off[..., 0] - b * off[..., 1], a * off[..., 1] - b * off[..., 0]], axis=-1)
    return np.clip(step / determinant[..., None], -1, 1)


def _to_rays(pixels: np.ndarray, K: np.ndarray) -> np.ndarray:
    return (pixels - K[:2, 2]) / K[[0, 1], [0, 1]]


def _to_pixels(rays: np.ndarray, K: np.ndarray) -> np.ndarray:
    return rays * K[[0, 1], [0, 1]] + K[:2, 2]
