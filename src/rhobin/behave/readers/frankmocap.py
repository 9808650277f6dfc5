"""FrankMocap's guesses beside the images of the raw release: `k*.mocap.json`.

They are the input of baselines such as CHORE. They are not ground truth: a monocular estimate in the frame of
its own camera, without a translation (behave-dataset issue 23).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.readers.openpose import read_object

BODY = 66  # root and 21 joints that SMPL and SMPL-H share


@dataclass(frozen=True)
class MocapGuess:
    """A monocular estimate of a body: a baseline's input, never ground truth.

    Attributes:
        pose: (72,) SMPL axis-angle in the frame of the image's own camera.
        betas: (10,) shape.
    """

    pose: np.ndarray
    betas: np.ndarray

    @property
    def missing(self) -> bool:
        """Whether there is no estimate: all zeros."""
        return not self.pose.any()


def mocap_file(frame_dir: Path, kinect: int) -> Path:
    """Where a frame keeps FrankMocap's estimate from one Kinect."""
    return frame_dir / f"k{kinect}.mocap.json"


def read_mocap(path: Path) -> MocapGuess:
    """Read one `k*.mocap.json`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged; the message names the file.
    """
    content = read_object(path)
    return MocapGuess(_vector(path, content, "pose", 72), _vector(path, content, "betas", 10))


def smplh_pose(pose: np.ndarray, mean_hands: np.ndarray | None = None) -> np.ndarray:
    """SMPL-H poses of SMPL poses: the 22 shared joints, and hands that SMPL does not have.

    SMPL's own two hand joints are left out, as CHORE does: they turn the palm, which in SMPL-H the wrist and
    the fingers do.

    Args:
        pose: (..., 72) SMPL axis-angle.
        mean_hands: (90,) left and right fingers, absolute; flat by default. BEHAVE's hands are near the
            model's mean hand (`Body.mean_hands`), not flat.

    Returns:
        (..., 156) SMPL-H axis-angle, absolute hands.

    Raises:
        ValueError: the last axis is not 72.
    """
    if pose.shape[-1] != 72:
        raise ValueError(f"expected SMPL poses of 72 numbers, found {pose.shape[-1]}")
    hands = np.zeros(90) if mean_hands is None else np.asarray(mean_hands, np.float64).reshape(90)
    fingers = np.broadcast_to(hands, (*pose.shape[:-1], 90))
    return np.concatenate([pose[..., :BODY], fingers], axis=-1)


def _vector(path: Path, content: Any, key: str, length: int) -> np.ndarray:
    try:
        values = np.asarray(content[key], np.float64).reshape(-1)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected {key} of {length} numbers: {error!r}") from error
    if len(values) != length:
        raise ValueError(f"{path}: expected {length} numbers in {key}, found {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: {key} is not finite")
    return values
