"""Keypoints in the coordinates of a crop's heatmaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from rhobin.types import Heatmaps

_NEAR = 1e-3  # metres; what is nearer counts as behind the camera


@dataclass(frozen=True)
class HeatmapConfig:
    """The volume of a keypoint heatmap.

    Attributes:
        depth_range: metres of depth that it spans; a method that reads heatmaps sets it.
    """

    depth_range: float | None = None

    def __post_init__(self):
        if self.depth_range is not None and self.depth_range <= 0:
            raise ValueError(
                f"data.targets.heatmaps.depth_range is {self.depth_range}; expected more than 0 metres"
            )


def draw_heatmaps(
    values: Mapping[str, np.ndarray], K_crop: np.ndarray, config: HeatmapConfig, input_size: int
) -> Heatmaps:
    """The joints and keypoints of one sample in heatmap coordinates.

    Args:
        values: `joints` (29, 3) where the sample shows a person, `kpts` (8, 3) and `t` (3,) where it shows an
            object; metres, camera frame.
        K_crop: (3, 3) intrinsics of the crop.
        config: the volume.
        input_size: width of the crop, pixels.
    """
    if config.depth_range is None:
        raise ValueError(
            "data.targets.heatmaps.depth_range is not set; a method that reads heatmaps sets its depth_range"
        )
    origin = values["joints"][0, 2] if "joints" in values else values["t"][2]
    there = [points for points in ("joints", "kpts") if points in values]
    every = np.concatenate([values[points] for points in there])
    found = heatmap_coordinates(every, origin, K_crop, config.depth_range, input_size)
    uvd, weight = (numbers.astype(np.float32) for numbers in found)
    drawn: dict[str, torch.Tensor] = {}
    first = 0
    for points in there:
        rows = slice(first, first := first + len(values[points]))
        drawn[f"{points}_uvd"] = torch.from_numpy(uvd[rows])
        drawn[f"{points}_weight"] = torch.from_numpy(weight[rows])
    return Heatmaps(**drawn)


def heatmap_coordinates(
    points: np.ndarray, origin_depth: float, K_crop: np.ndarray, depth_range: float, input_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points (J, 3) as (u, v, d), and 1 for those that lie in front of the camera and in range."""
    pixels = points @ K_crop.T
    depth = np.maximum(pixels[:, 2:], _NEAR)
    uvd = np.empty_like(pixels)
    uvd[:, :2] = pixels[:, :2] / depth / input_size - 0.5
    uvd[:, 2] = (points[:, 2] - origin_depth) / depth_range
    inside = ((uvd >= -0.5) & (uvd < 0.5)).all(axis=1) & (points[:, 2] > _NEAR)
    return uvd, inside
