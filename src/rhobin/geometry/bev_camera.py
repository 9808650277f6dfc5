"""The camera that BEV's published weights see: three numbers at a field of view of 60 degrees.

A camera is (scale, y, x): scale is 1 / (Z tan 30), y and x are Y and X over Z tan 30, from -1 to 1 across the
image.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rhobin.geometry.depth_bins import bev_bins

_TANGENT = math.tan(math.pi / 6)


def bev_anchors(count: int) -> tuple[float, ...]:
    """Scale at the centre of each of BEV's depth bins, nearest first.

    Args:
        count: number of bins, a multiple of 32.

    Raises:
        ValueError: it is not.
    """
    return tuple(scale / _TANGENT for scale in bev_bins(count).scales)


def bev_camera(translation: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """(..., 3) cameras of points (..., 3) in metres in front of the camera."""
    x, y, z = translation.unbind(-1)
    return torch.stack([torch.ones_like(z), y, x], dim=-1) / (z * _TANGENT)[..., None]


def bev_translation(camera: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """(..., 3) points in metres of cameras (..., 3), not quite the inverse of `bev_camera`.

    Depth is 1 / (scale tan 30 + 1e-3), 1 % short at 10 m.
    """
    scale, y, x = camera.unbind(-1)
    z = 1 / (scale * _TANGENT + 1e-3)
    return torch.stack([x * z * _TANGENT, y * z * _TANGENT, z], dim=-1)


def bev_cell(camera: Float[Tensor, "B 3"], anchors: Float[Tensor, " D"], size: int) -> Int[Tensor, "B 3"]:
    """Where BEV reads the features of a person: depth bin, row and column.

    Args:
        camera: (B, 3) scale, y and x.
        anchors: (D,) scale of each depth bin; the nearest is taken.
        size: height and width of the map. No index is below 1 or above `size` - 1, not even the bin's.
    """
    bin_ = (camera[:, :1] - anchors).abs().argmin(1)
    planar = (camera[:, 1:] + 1) / 2 * size
    return torch.cat([bin_[:, None].to(planar.dtype), planar], dim=1).clamp(1, size - 1).long()
