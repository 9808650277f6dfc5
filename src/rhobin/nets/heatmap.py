"""Keypoint heads: heatmaps read out by soft-argmax, with one uncertainty per keypoint.

Coordinates (u, v, d) are fractions of the map's width, height and depth range, from its centre: cell i of n
reads i / n - 0.5, as in HybrIK (Li et al., CVPR 2021).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.geometry.precision import full_precision
from rhobin.nets.features import Features


class Keypoints(NamedTuple):
    """Keypoints of one head.

    Attributes:
        uvd: (B, K, 3) heatmap coordinates.
        sigma: (B, K) uncertainty in the same unit, in (0, 1).
    """

    uvd: Float[Tensor, "B K 3"]
    sigma: Float[Tensor, "B K"]


class VolumetricHead(nn.Module):
    """A 3D heatmap per keypoint from one 1x1 convolution (KHOR, sec. 3.3.1).

    Args:
        grid_channels: channels of the feature map.
        pooled_channels: size of the pooled vector, read by the uncertainty.
        keypoints: number of keypoints.
        depth_bins: cells of the depth axis.
        shrink: cells of the feature map that a cell of the heatmap is wide.
    """

    def __init__(
        self,
        grid_channels: int,
        pooled_channels: int,
        keypoints: int,
        depth_bins: int = 64,
        shrink: int = 1,
    ) -> None:
        super().__init__()
        self.keypoints, self.depth_bins, self.shrink = keypoints, depth_bins, shrink
        self.heatmap = nn.Conv2d(grid_channels, keypoints * depth_bins, 1)
        self.sigma = nn.Linear(pooled_channels, keypoints)

    def forward(self, features: Features) -> Keypoints:
        """Keypoints of the features' images."""
        grid = features.grid if self.shrink == 1 else F.avg_pool2d(features.grid, self.shrink)
        logits = self.heatmap(grid).float()
        volume = logits.unflatten(1, (self.keypoints, self.depth_bins))
        return Keypoints(soft_argmax(volume), self.sigma(features.pooled).float().sigmoid())


class PlanarHead(nn.Module):
    """A 2D heatmap per keypoint for (u, v) and a linear layer on the pooled features for d.

    A quarter of the volumetric head's cost on a CPU, and more accurate on a small budget.

    Args:
        grid_channels: channels of the feature map.
        pooled_channels: size of the pooled vector, read by depth and uncertainty.
        keypoints: number of keypoints.
    """

    def __init__(self, grid_channels: int, pooled_channels: int, keypoints: int) -> None:
        super().__init__()
        self.heatmap = nn.Conv2d(grid_channels, keypoints, 1)
        self.depth = nn.Linear(pooled_channels, keypoints)
        self.sigma = nn.Linear(pooled_channels, keypoints)

    def forward(self, features: Features) -> Keypoints:
        """Keypoints of the features' images."""
        uv = soft_argmax(self.heatmap(features.grid).float())
        depth = self.depth(features.pooled).float()
        return Keypoints(
            torch.cat([uv, depth[..., None]], dim=-1), self.sigma(features.pooled).float().sigmoid()
        )


class DepthMapHead(nn.Module):
    """A 2D heatmap per keypoint for (u, v), and d read from a depth map at the same place.

    The depth map is averaged under the heatmap's softmax (the latent 2.5D heatmaps of Iqbal et al., ECCV
    2018); a linear layer on the pooled features adds to it. Hardly dearer than `PlanarHead`.

    Args:
        grid_channels: channels of the feature map.
        pooled_channels: size of the pooled vector, read by depth and uncertainty.
        keypoints: number of keypoints.
    """

    def __init__(self, grid_channels: int, pooled_channels: int, keypoints: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(grid_channels, 2 * keypoints, 1)
        self.depth = nn.Linear(pooled_channels, keypoints)
        self.sigma = nn.Linear(pooled_channels, keypoints)

    def forward(self, features: Features) -> Keypoints:
        """Keypoints of the features' images."""
        logits, depths = self.maps(features.grid).float().chunk(2, dim=1)
        cells = shares(logits)
        depth = (cells * depths).sum((2, 3)) + self.depth(features.pooled).float()
        uvd = torch.cat([expected_place(cells), depth[..., None]], dim=-1)
        return Keypoints(uvd, self.sigma(features.pooled).float().sigmoid())


class VectorHead(nn.Module):
    """Keypoints by a linear layer on one vector, without a heatmap (HybrIK's `HRNetWithCamReg.py`).

    Args:
        grid_channels: not read.
        pooled_channels: size of the vector.
        keypoints: number of keypoints.
    """

    def __init__(self, grid_channels: int, pooled_channels: int, keypoints: int) -> None:
        super().__init__()
        self.uvd = nn.Linear(pooled_channels, keypoints * 3)
        self.sigma = nn.Linear(pooled_channels, keypoints)

    def forward(self, features: Features) -> Keypoints:
        """Keypoints of the features' images."""
        uvd = self.uvd(features.pooled).float().unflatten(1, (-1, 3))
        return Keypoints(uvd, self.sigma(features.pooled).float().sigmoid())


@full_precision
def soft_argmax(logits: Float[Tensor, "B K *axes"]) -> Float[Tensor, "B K A"]:
    """Expected position under the softmax over all cells of each keypoint's map.

    Args:
        logits: (B, K, h, w) or (B, K, d, h, w).

    Returns:
        (B, K, 2) or (B, K, 3) positions in the order u, v, d; cell i of n reads i / n - 0.5.
    """
    return expected_place(shares(logits))


@full_precision
def shares(logits: Float[Tensor, "B K *axes"]) -> Float[Tensor, "B K *axes"]:
    """Softmax over all cells of each keypoint's map."""
    return logits.flatten(2).softmax(-1).unflatten(2, logits.shape[2:])


@full_precision
def expected_place(cells: Float[Tensor, "B K *axes"]) -> Float[Tensor, "B K A"]:
    """Expected position of cells whose shares of each map sum to one; otherwise as `soft_argmax`."""
    axes, positions = range(2, cells.dim()), []
    for axis in reversed(axes):
        marginal = cells.sum([other for other in axes if other != axis])
        index = torch.arange(cells.shape[axis], device=cells.device, dtype=cells.dtype)
        positions.append(marginal @ index / cells.shape[axis] - 0.5)
    return torch.stack(positions, dim=-1)


def precision(sigma: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """Inverse variance of each keypoint, relative to the surest one of its set."""
    inverse = 1 / sigma.clamp(min=1e-4).square()
    return inverse / inverse.amax(1, keepdim=True)


def spread_mm(
    sigma: Float[Tensor, "B K"], width: Float[Tensor, " B"], depth_range: float
) -> Float[Tensor, "B K"]:
    """Distances (B, K) that uncertainties in heatmap units stand for, millimetres.

    The loss of HybrIK is least where a coordinate's mean absolute error is sqrt(2) sigma. The three
    coordinates are u and v, in crop widths at the person's depth, and d.

    Args:
        sigma: (B, K) uncertainties.
        width: (B,) of the crops at that depth, metres.
        depth_range: metres that heatmap depth spans.
    """
    return 1000 * sigma * (2 * (2 * width.square() + depth_range**2)).sqrt()[:, None]
