"""FrankMocap's guesses beside the images of the raw release: `k*.mocap.json`.

They are the input of baselines such as CHORE. They are not ground truth: a monocular estimate in the frame of
its own camera, without a translation (behave-dataset issue 23).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.openpose import read_object


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


def _vector(path: Path, content: Any, key: str, length: int) -> np.ndarray:
    try:
        values = as_floats(content[key]).reshape(-1)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: expected {key} of {length} numbers: {error!r}") from error
    if len(values) != length:
        raise ValueError(f"{path}: expected {length} numbers in {key}, found {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: {key} is not finite")
    return values
