"""Cameras of a release: a lens per Kinect, camera-to-world placement per date and Kinect."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.numbers import as_floats
from rhobin.behave.plausible import FARTHEST
from rhobin.files import read_json
from rhobin.types import Camera

_SHAPES = {(length,) for length in (4, 5, 8, 12, 14)}  # of OpenCV's lists of coefficients
USED, LARGEST = 8, 1e3
VIEW_ANGLES = (2.0, 120.0)  # degrees across the longer side; Kinects and InterCap's cameras see 90 to 93
ASPECTS = (0.8, 1.25)  # of fx to fy
MOST_PIXELS = 20_000  # a side


class LensWarning(UserWarning):
    """A lens whose file contradicts itself."""


def read_camera(config_dir: Path, intrinsics_dir: Path, kinect: int) -> Camera:
    """Read one Kinect's colour camera.

    Args:
        config_dir: `calibs/<date>/config`.
        intrinsics_dir: `calibs/intrinsics`.
        kinect: Kinect number.

    Returns:
        Camera whose R and t map camera to world (kinect 1), metres.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: when a file holds no valid camera; the message names the file.
    """
    placed_file = config_dir / str(kinect) / "config.json"
    placed, lens = read_calibration(placed_file), read_lens(intrinsics_dir / str(kinect) / "calibration.json")
    try:
        R = as_floats(placed["rotation"]).reshape(3, 3)
        t = as_floats(placed["translation"]).reshape(3)
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{placed_file}: expected rotation (9) and translation (3), found {error}"
        ) from error
    check_placement(placed_file, R, t)
    return replace(lens, R=R, t=t)


def read_lens(path: Path) -> Camera:
    """Read the colour camera of a `calibration.json`, at the origin.

    The file's `opencv` list holds fx, fy, cx, cy and then the distortion in OpenCV's order; a list without
    distortion, or with zeros only, gives a pinhole.

    Raises:
        FileNotFoundError: when the file is missing.
        ValueError: when it holds no lens; the message names the file.
    """
    content = read_calibration(path)
    try:
        color = content["color"]
        fx, fy, cx, cy = (float(color[key]) for key in ("fx", "fy", "cx", "cy"))
        width, height = (int(float(color[key])) for key in ("width", "height"))
        listed = as_floats(color.get("opencv") or []).ravel()
        coefficients = listed[4:]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected color with fx, fy, cx, cy, width, height: {error}") from error
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    check_lens(path, K, width, height)
    if not np.isfinite(listed[:4]).all():
        raise ValueError(f"{path}: expected finite fx, fy, cx, cy in opencv, found {listed[:4].tolist()}")
    distortion = distortion_of(path, coefficients)
    _compare(path, fx, listed[:4].tolist())
    return Camera(K, np.eye(3), np.zeros(3), width, height, distortion)


def check_lens(path: Path, K: np.ndarray, width: int, height: int) -> None:
    """Refuse intrinsics (3, 3) that no camera of that image size has."""
    inside = 0 < K[0, 2] < width <= MOST_PIXELS and 0 < K[1, 2] < height <= MOST_PIXELS
    if not np.isfinite(K).all() or K[0, 0] <= 0 or K[1, 1] <= 0 or not inside:
        raise ValueError(
            f"{path}: expected positive focal lengths and a principal point inside {width:g}x{height:g} "
            f"(at most {MOST_PIXELS} a side), "
            f"found fx {K[0, 0]:g}, fy {K[1, 1]:g}, cx {K[0, 2]:g}, cy {K[1, 2]:g}"
        )
    angle = math.degrees(2 * math.atan(max(width / K[0, 0], height / K[1, 1]) / 2))
    if not VIEW_ANGLES[0] < angle < VIEW_ANGLES[1] or not ASPECTS[0] < K[0, 0] / K[1, 1] < ASPECTS[1]:
        raise ValueError(
            f"{path}: expected focal lengths in pixels of the {width}x{height} image, alike in x and y, "
            f"with a view of {VIEW_ANGLES[0]:g} to {VIEW_ANGLES[1]:g} degrees, "
            f"found fx {K[0, 0]:g}, fy {K[1, 1]:g}: {angle:.3g} degrees; copy the file of the release again"
        )


def check_placement(path: Path, R: np.ndarray, t: np.ndarray) -> None:
    """Refuse a rotation (3, 3) that is none, and a translation (3,) that is not finite or out of any room."""
    if not np.isfinite(R).all() or not np.isfinite(t).all():
        raise ValueError(f"{path}: rotation or translation is not finite")
    if np.abs(R).max() > 2 or not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or np.linalg.det(R) < 0:
        raise ValueError(f"{path}: rotation is not orthonormal")
    if np.abs(t).max() > FARTHEST:
        raise ValueError(
            f"{path}: expected a translation in metres, at most {FARTHEST:g}, found {np.abs(t).max():g}"
        )


def distortion_of(path: Path, coefficients: np.ndarray) -> np.ndarray | None:
    """The coefficients of a file filled up to eight, None where there are none or all are zero.

    Raises:
        ValueError: they are not as many as OpenCV has, absurd, or of a thin prism or a tilted sensor.
    """
    if not coefficients.any():
        return None
    if coefficients.shape not in _SHAPES or not (np.abs(coefficients) < LARGEST).all():
        raise ValueError(
            f"{path}: expected 4, 5, 8, 12 or 14 finite distortion coefficients in OpenCV's order "
            f"(k1, k2, p1, p2, k3, k4, k5, k6, ...), found {coefficients.tolist()}"
        )
    if coefficients[USED:].any():
        raise ValueError(
            f"{path}: expected zeros behind the eighth distortion coefficient (thin prisms and tilted "
            f"sensors are not modelled), found {coefficients[USED:].tolist()}; calibrate again without them"
        )
    return np.pad(coefficients[:USED], (0, max(USED - len(coefficients), 0)))


def _compare(path: Path, fx: float, listed: Sequence[float]) -> None:
    """Tell where the list `opencv` begins with other focal lengths than the file's own."""
    if listed and not any(math.isclose(fx, value, rel_tol=1e-3) for value in listed):
        begin = ", ".join(f"{value:g}" for value in listed)
        warnings.warn(
            f"{path}: fx is {fx:g}, but opencv begins with {begin}: one of them was changed; fx is used",
            LensWarning,
            stacklevel=3,
        )


def read_calibration(path: Path) -> dict[str, Any]:
    """Read a calibration file.

    Raises:
        FileNotFoundError: when it is missing.
        ValueError: when it is no JSON object.
    """
    try:
        content = read_json(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no calibration at {path}; `calibs/` of the release is incomplete"
        ) from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content
