"""Rotations as six numbers: their first two columns (Zhou et al., CVPR 2019)."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.rotation import unit


def rot6d_to_rotmat(rot6d: Float[Tensor, "*B 6"]) -> Float[Tensor, "*B 3 3"]:
    """The rotation whose first column is the first vector's direction, the second in the plane of both.

    Args:
        rot6d: two vectors, one after the other, of any length; the third column is their normal. Parallel or
            zero vectors give a matrix that is no rotation, without NaN.
    """
    first, second = rot6d.unflatten(-1, (2, 3)).unbind(-2)
    x = unit(first)
    z = unit(torch.linalg.cross(x, second))
    return torch.stack((x, torch.linalg.cross(z, x), z), dim=-1)


def rotmat_to_rot6d(rotation: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 6"]:
    """The first two columns of rotations, one after the other."""
    return rotation[..., :2].mT.flatten(-2)
