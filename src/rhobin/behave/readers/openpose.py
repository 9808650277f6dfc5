"""OpenPose keypoints beside the images of the raw release: `k*.color.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.numbers import as_floats
from rhobin.files import read_json

_PARTS = {
    "body": ("body_joints", 25),
    "face": ("face_joints", 70),
    "left_hand": ("left_hand_joints", 21),
    "right_hand": ("right_hand_joints", 21),
}

FARTHEST = 1e5  # pixels; ten times the width of any camera's image


@dataclass(frozen=True)
class Keypoints:
    """What OpenPose found in an image: detections, not ground truth.

    Each array holds x, y (pixels of the image as it is, with its lens) and a confidence of 0 to 1.

    Attributes:
        body: (25, 3) BODY_25 joints.
        face: (70, 3).
        left_hand: (21, 3).
        right_hand: (21, 3).
        missing: parts of which nothing is known: left out of the file or all zeros, which is how the release
            says that the person was not found, was ambiguous or had too low a confidence.
    """

    body: np.ndarray
    face: np.ndarray
    left_hand: np.ndarray
    right_hand: np.ndarray
    missing: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether a person was detected at all."""
        return "body" not in self.missing


def keypoints_file(frame_dir: Path, kinect: int) -> Path:
    """Where a frame keeps the keypoints of one Kinect."""
    return frame_dir / f"k{kinect}.color.json"


def read_keypoints(path: Path) -> Keypoints:
    """Read one `k*.color.json`; files of VisTracker's, with the body only, as well.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged; the message names the file and the part.
    """
    content = read_object(path)
    if "body_joints" not in content:
        raise ValueError(f"{path}: expected body_joints, found {', '.join(sorted(content)) or 'nothing'}")
    arrays = {}
    for part, (key, count) in _PARTS.items():
        arrays[part] = _joints(path, key, count, content[key]) if key in content else np.zeros((count, 3))
    missing = tuple(part for part, array in arrays.items() if not array.any())
    return Keypoints(**arrays, missing=missing)


def _joints(path: Path, key: str, count: int, values: Any) -> np.ndarray:
    try:
        array = as_floats(values).reshape(count, 3)
    except ValueError as error:
        raise ValueError(f"{path}: expected {key} of {count} x (x, y, confidence): {error}") from error
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: {key} is not finite")
    if np.abs(array[:, :2]).max() > FARTHEST:
        raise ValueError(
            f"{path}: expected {key} in pixels, at most {FARTHEST:g} from the image's corner, "
            f"found {np.abs(array[:, :2]).max():g}; copy the file again"
        )
    if array[:, 2].min() < 0 or array[:, 2].max() > 1.5:  # OpenPose's confidences stray slightly above 1
        raise ValueError(f"{path}: expected confidences of 0 to 1 in {key}, found {array[:, 2].max():g}")
    return array


def read_object(path: Path) -> Mapping[str, Any]:
    """Read a file that must hold a JSON object; errors as `read_keypoints`."""
    if not path.is_file():
        raise FileNotFoundError(f"expected detections at {path}, found no such file")
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); copy the file again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content
