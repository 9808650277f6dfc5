"""CHORE's depth-aware scaling: a space in which every pelvis is as far away as its crop is wide.

Scaling a scene about the camera's centre leaves its image as it is, so an image tells everything but one
scale. CHORE scales each scene until the pelvis is 2.2 m away, and cuts a window of 1200 px, which shows 2.7 m
there. Here the scene is scaled until its crop, whatever its size, shows those 2.7 m at the pelvis's depth:
with CHORE's window and camera that is the same.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.camera import project


class Space(NamedTuple):
    """How the scenes of a batch are scaled.

    Attributes:
        K: (B, 3, 3) intrinsics of the crops, pixels.
        size: width of a crop, pixels.
        width: metres that a crop shows at the pelvis's depth, once scaled.
    """

    K: Float[Tensor, "B 3 3"]
    size: int
    width: float

    @property
    def depth(self) -> Float[Tensor, " B"]:
        """Depth of every pelvis once scaled, metres."""
        return self.K[:, 0, 0] * (self.width / self.size)

    def factor(self, pelvis: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
        """What scenes whose pelvises are at depths (B,) are multiplied by."""
        return self.depth / pelvis

    def grid(self, points: Float[Tensor, "B N 3"]) -> Float[Tensor, "B N 2"]:
        """Where points, scaled or not, lie in their crops, whose edges are at -1 and 1."""
        return (2 * torch.as_tensor(project(points, self.K)) + 1) / self.size - 1
