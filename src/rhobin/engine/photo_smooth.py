"""The optional smoother of videos: poses over the frames of each stretch without a gap."""

from __future__ import annotations

import numpy as np
import torch

from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photo_numbers import Arrays, person_arrays, posed
from rhobin.geometry.smooth import smooth_points, smooth_rotations
from rhobin.types import GENDERS, HumanPrediction

ROTATIONS, POINTS = ("theta", "R"), ("beta", "trans", "t", "scale")


def stretches(frames: np.ndarray) -> list[slice]:
    """Rows of each stretch of frames without a gap; frames (T,) are rising numbers."""
    ends = [*(np.flatnonzero(np.diff(frames) > 1) + 1).tolist(), len(frames)]
    return [slice(first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True)]


def smoothed(
    network: PhotoNetwork, frames: np.ndarray, arrays: Arrays, sigma: float, gender: str | None
) -> Arrays:
    """Arrays of a video with smooth poses; what the network tells before poses are fitted stays as it is.

    Args:
        network: whose bodies are posed.
        frames: (T,) numbers of the frames.
        arrays: (T, ...) by name.
        sigma: standard deviation of the weights, frames.
        gender: of the body model.
    """
    smooth = {name: array.copy() for name, array in arrays.items()}
    for name in (*ROTATIONS, *POINTS):
        for rows in stretches(frames) if name in arrays else ():
            mean = smooth_rotations if name in ROTATIONS else smooth_points
            smooth[name][rows] = mean(torch.from_numpy(arrays[name][rows]).double(), sigma).numpy()
    if "theta" in smooth:
        theta, beta, trans = (torch.from_numpy(smooth[name]) for name in ("theta", "beta", "trans"))
        genders = torch.full((len(theta),), GENDERS.index(gender or "neutral"))
        smooth |= person_arrays(theta, beta, trans)
        smooth["body_joints"] = posed(network, HumanPrediction(theta, beta, trans), genders)[1].numpy()
    return smooth
