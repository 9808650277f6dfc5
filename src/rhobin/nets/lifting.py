"""From heatmap coordinates to points in the camera's frame, and what their uncertainties stand for."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.camera import unproject
from rhobin.nets.heatmap import spread_mm


class Lifting(NamedTuple):
    """How heatmap coordinates become points.

    Attributes:
        K: (B, 3, 3) intrinsics of the crops, pixels.
        size: width of a crop, pixels.
        depth_range: metres that heatmap depth spans.
    """

    K: Float[Tensor, "B 3 3"]
    size: int
    depth_range: float

    def pixels(self, uvd: Float[Tensor, "B K 3"]) -> Float[Tensor, "B K 2"]:
        """Pixels of heatmap coordinates."""
        return (uvd[..., :2] + 0.5) * self.size

    def rays(self, uvd: Float[Tensor, "B K 3"]) -> Float[Tensor, "B K 3"]:
        """Points at unit depth behind heatmap coordinates, camera frame."""
        return unproject(self.pixels(uvd), torch.ones_like(uvd[..., 0]), self.K)

    def points(self, uvd: Float[Tensor, "B K 3"], pelvis: Float[Tensor, " B"]) -> Float[Tensor, "B K 3"]:
        """Points (B, K, 3) of heatmap coordinates about pelvises at depths (B,), metres, camera frame."""
        depth = pelvis[:, None] + uvd[..., 2] * self.depth_range
        return unproject(self.pixels(uvd), depth, self.K)

    def spread_mm(self, sigma: Float[Tensor, "B K"], depth: Float[Tensor, " B"]) -> Float[Tensor, "B K"]:
        """What uncertainties (B, K) in heatmap units stand for at depths (B,), metres."""
        return spread_mm(sigma, self.size * depth / self.K[:, 0, 0], self.depth_range)
