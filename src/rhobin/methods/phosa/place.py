"""Where something has to stand so that its picture fills a box (the release's fixed point)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from rhobin.geometry.camera import project

START = 2.5  # paper (released code): metres in front of the camera
ROUNDS = 50  # paper (released code)
NEAREST = 0.1  # metres


def pixels_of(points: Tensor, K: Tensor) -> Tensor:
    """Pixels (..., N, 2) of points (..., N, 3), metres, camera frame; K may be of another precision."""
    return cast(Tensor, project(points, K.to(points)))


def place_by_box(points: Tensor, box: Tensor, K: Tensor) -> Tensor:
    """Translations that put points into a box of the image: its middle, and its diagonal as the depth.

    Args:
        points: (B, N, 3) about their origin, turned as in the camera, metres.
        box: (4,) left, top, right, bottom, pixels.
        K: (3, 3) intrinsics.

    Returns:
        (B, 3) metres, camera frame.
    """
    middle, diagonal = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).norm()
    focal = K.diagonal()[:2].to(points)
    place = points.new_tensor([0, 0, START]).repeat(len(points), 1)
    behind = -points[..., 2].amin(1) + NEAREST  # at least so far, so that no point lies behind the camera
    place[:, 2] = torch.maximum(place[:, 2], behind)
    for _ in range(ROUNDS):
        pixels = pixels_of(points + place[:, None], K)
        low, high = pixels.amin(1), pixels.amax(1)
        depth = torch.maximum(place[:, 2] * (high - low).norm(dim=1) / diagonal, behind)
        across = place[:, :2] + (middle - (low + high) / 2) * depth[:, None] / focal
        place = torch.cat((across, depth[:, None]), dim=1)
    return place
