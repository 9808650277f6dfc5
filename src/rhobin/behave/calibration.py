"""Cameras of a release: intrinsics per Kinect, camera-to-world placement per date and Kinect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.types import Camera


def read_camera(config_dir: Path, intrinsics_dir: Path, kinect: int) -> Camera:
    """Read one Kinect's colour camera.

    Lens distortion is ignored, as by the challenge and by every published method.

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
    lens_file = intrinsics_dir / str(kinect) / "calibration.json"
    placed, lens = _read(placed_file), _read(lens_file)
    try:
        R = np.asarray(placed["rotation"], np.float64).reshape(3, 3)
        t = np.asarray(placed["translation"], np.float64).reshape(3)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{placed_file}: expected rotation (9) and translation (3), found {error}"
        ) from error
    try:
        color = lens["color"]
        fx, fy, cx, cy = (float(color[key]) for key in ("fx", "fy", "cx", "cy"))
        width, height = int(color["width"]), int(color["height"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{lens_file}: expected color with fx, fy, cx, cy, width, height: {error}"
        ) from error
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or not np.isfinite(t).all():
        raise ValueError(f"{placed_file}: rotation is not orthonormal or translation not finite")
    return Camera(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), R, t, width, height)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no calibration at {path}; `calibs/` of the release is incomplete"
        ) from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from error
