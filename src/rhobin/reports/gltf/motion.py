"""How nodes move: key frames, and what is shown where a video's frames have no prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rhobin.geometry.rotation import rotmat_to_quat
from rhobin.reports.gltf.document import Document

HELD = "the pose before a gap is held until the gap's last frame; between frames poses are interpolated"


@dataclass(frozen=True, eq=False)
class Keys:
    """The key frames of one part of a scene.

    Attributes:
        pose: (M,) which pose each key frame shows.
        seconds: (M,) when.
        gaps: first and last moment of each run of frames without a prediction, seconds.
    """

    pose: np.ndarray
    seconds: np.ndarray
    gaps: list[list[float]]


def key_frames(frames: np.ndarray, times: np.ndarray) -> Keys:
    """Key frames of the frames that have a prediction; the last pose before a gap is held through it.

    Args:
        frames: (N,) places in `times` of the frames with a prediction, increasing.
        times: (T,) seconds of all frames.
    """
    before = np.flatnonzero(np.diff(frames) > 1)
    pose = np.insert(np.arange(len(frames)), before + 1, before)
    shown = np.insert(frames, before + 1, frames[before + 1] - 1)
    missing = np.setdiff1d(np.arange(len(times)), frames)
    runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1) if len(missing) else []
    return Keys(pose, times[shown], [[float(times[run[0]]), float(times[run[-1]])] for run in runs])


class Motion:
    """The animation of one part: channels that share their key frames.

    Attributes:
        part: ``person`` or ``object``.
        gaps: see `Keys`.
        channels: of the document's animation.
        samplers: of the same, in the same order.
    """

    def __init__(self, document: Document, part: str, keys: Keys) -> None:
        self.part, self.gaps = part, keys.gaps
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self._document, self._keys = document, keys
        self._input: int | None = None

    def add(self, node: int, path: str, values: np.ndarray) -> None:
        """Move a node: ``rotation``, ``translation``, ``scale`` or ``weights``.

        Args:
            node: which.
            path: what of it.
            values: (N, ...) by pose; where they never change, nothing is written.
        """
        if (values == values[0]).all():
            return
        if self._input is None:
            self._input = self._document.array(self._keys.seconds, bounds=True)
        shown = values[self._keys.pose]
        output = self._document.array(shown.ravel() if path == "weights" else shown)
        self.channels.append({"sampler": len(self.samplers), "target": {"node": node, "path": path}})
        self.samplers.append({"input": self._input, "output": output, "interpolation": "LINEAR"})


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Unit quaternions (N, ..., 4) as glTF has them, (x, y, z, w), of rotations (N, ..., 3, 3) of N moments.

    Signs are such that neighbours in time are near each other.
    """
    wxyz = rotmat_to_quat(torch.from_numpy(np.array(rotations, np.float64))).numpy()
    flips = np.where((wxyz[1:] * wxyz[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    wxyz[1:] *= np.cumprod(flips, axis=0)
    return np.roll(wxyz, -1, axis=-1)
