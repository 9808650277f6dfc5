"""Cameras of a release: a lens per Kinect, camera-to-world placement per date and Kinect."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.types import Camera


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
    placed, lens = read_json(placed_file), read_lens(intrinsics_dir / str(kinect) / "calibration.json")
    try:
        R = np.asarray(placed["rotation"], np.float64).reshape(3, 3)
        t = np.asarray(placed["translation"], np.float64).reshape(3)
    except (KeyError, TypeError, ValueError) as error:
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
    content = read_json(path)
    try:
        color = content["color"]
        fx, fy, cx, cy = (float(color[key]) for key in ("fx", "fy", "cx", "cy"))
        width, height = int(color["width"]), int(color["height"])
        coefficients = np.asarray(color.get("opencv", [])[4:], np.float64)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected color with fx, fy, cx, cy, width, height: {error}") from error
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    check_lens(path, K, width, height)
    return Camera(K, np.eye(3), np.zeros(3), width, height, distortion_of(path, coefficients))


def check_lens(path: Path, K: np.ndarray, width: int, height: int) -> None:
    """Refuse intrinsics (3, 3) that no camera of that image size has."""
    inside = 0 < K[0, 2] < width and 0 < K[1, 2] < height
    if not np.isfinite(K).all() or K[0, 0] <= 0 or K[1, 1] <= 0 or not inside:
        raise ValueError(
            f"{path}: expected positive focal lengths and a principal point inside {width}x{height}, "
            f"found fx {K[0, 0]:g}, fy {K[1, 1]:g}, cx {K[0, 2]:g}, cy {K[1, 2]:g}"
        )


def check_placement(path: Path, R: np.ndarray, t: np.ndarray) -> None:
    """Refuse a rotation (3, 3) that is none and a translation (3,) that is not finite."""
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or np.linalg.det(R) < 0 or not np.isfinite(t).all():
        raise ValueError(f"{path}: rotation is not orthonormal or translation not finite")


def distortion_of(path: Path, coefficients: np.ndarray) -> np.ndarray | None:
    """The eight coefficients of a file, None where there are none or all are zero."""
    if not coefficients.any():
        return None
    if coefficients.shape != (8,) or not np.isfinite(coefficients).all():
        raise ValueError(
            f"{path}: expected 8 finite distortion coefficients (k1, k2, p1, p2, k3, k4, k5, k6), "
            f"found {coefficients.tolist()}"
        )
    return coefficients


def read_json(path: Path) -> dict[str, Any]:
    """Read a calibration file.

    Raises:
        FileNotFoundError: when it is missing.
        ValueError: when it is no JSON object.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no calibration at {path}; `calibs/` of the release is incomplete"
        ) from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content
