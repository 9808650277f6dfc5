"""BEV's branch: where the person is, from a front view and a bird's-eye view (Sun et al., CVPR 2022)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.geometry.bev_camera import bev_anchors
from rhobin.nets.bev_blocks import (
    LineBlock,
    PlaneBlock,
    VolumeBlock,
    conv_norm,
    coordinate_volume,
    cross,
    probability,
)


class BevOutput(NamedTuple):
    """What the branch says of the person's centre, on a map of h x w cells and D depth bins.

    Attributes:
        front: (B, h, w) front-view heatmap, in (0, 1).
        bird: (B, D, w) heatmap seen from above, in (0, 1).
        volume: (B, D, h, w) heatmap over depth bin, row and column, in (0, 1).
        offset: (B, 3, D, h, w) from the centre of each cell to the person's centre, in cells: depth bin, row
            and column.
    """

    front: Float[Tensor, "B h w"]
    bird: Float[Tensor, "B D w"]
    volume: Float[Tensor, "B D h w"]
    offset: Float[Tensor, "B 3 D h w"]


class BevBranch(nn.Module):
    """Front view by 2D convolutions, bird's-eye view by 1D ones along the width, volume by their product.

    Rows are channels of the bird's-eye view, so a map of other height is resampled for it; any width goes.

    Args:
        grid_channels: of the feature map.
        rows: height of the map that the bird's-eye view reads.
        bins: number of depth bins.
        channels: of the front view.
        squeezed: channels of the features that the bird's-eye view reads.
        hidden: channels along its line.
        prior: probability that an untrained network gives each cell of either view.
        legacy: compute what BEV's published code does: heatmaps without sigmoid, a bird's-eye view that ends
            in ReLU and whose offset moves columns, and in place of `offset` the place itself (scale, row and
            column; `rhobin.geometry.bev_camera`).
        anchors: with `legacy`, the scale of each depth bin; None for BEV's own.
    """

    anchors: Tensor

    def __init__(
        self,
        grid_channels: int,
        rows: int,
        bins: int = 64,
        channels: int = 128,
        squeezed: int = 16,
        hidden: int = 512,
        prior: float = 0.1,
        legacy: bool = False,
        anchors: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.rows, self.bins, self.legacy = rows, bins, legacy
        views, line = nn.Conv2d(channels, 4, 1), LineBlock(hidden, 2 * bins, rectified=legacy)
        self.front = nn.Sequential(PlaneBlock(grid_channels, channels), views)
        self.squeeze = nn.Sequential(
            *conv_norm(grid_channels, squeezed, 1),
            *conv_norm(squeezed, squeezed, 3),
            *conv_norm(squeezed, squeezed, 1),
        )
        self.bird = nn.Sequential(LineBlock((4 + squeezed) * rows, hidden), LineBlock(hidden, hidden), line)
        self.refine_centre, self.refine_offset = VolumeBlock(1), VolumeBlock(3)
        if legacy:
            scales = torch.tensor(bev_anchors(bins) if anchors is None else anchors)
            self.register_buffer("anchors", scales, persistent=False)
        else:
            _start_at(prior, views, 1)
            _start_at(prior, line.conv2, bins)

    def forward(self, grid: Float[Tensor, "B C h w"]) -> BevOutput:
        """Heatmaps and offsets of a feature map (B, grid_channels, h, w)."""
        plane = self.front(grid)
        line = self.bird(self._folded(torch.cat([plane, self.squeeze(grid)], dim=1)))
        front, bird = plane[:, 0].float(), line[:, : self.bins].float()
        offset = self._offset(plane[:, 1:].float(), line[:, self.bins :].float())
        if self.legacy:
            return BevOutput(front, bird, self.refine_centre(cross(front, bird)[:, None])[:, 0], offset)
        front, bird = probability(front), probability(bird)
        volume = self.refine_centre(cross(front, bird).logit()[:, None])[:, 0]
        return BevOutput(front, bird, probability(volume), offset)

    def _folded(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B K w"]:
        """Rows as channels: (B, C rows, w)."""
        if x.shape[2] != self.rows:
            x = F.interpolate(x, (self.rows, x.shape[3]), mode="bilinear")
        return x.flatten(1, 2)

    def _offset(
        self, front: Float[Tensor, "B 3 h w"], bird: Float[Tensor, "B D w"]
    ) -> Float[Tensor, "B 3 D h w"]:
        """The front view's offsets at every depth; the bird's-eye view's goes to depth."""
        zero = torch.zeros_like(bird)
        along = torch.stack([bird, zero, zero], dim=1)[..., None, :]
        if self.legacy:
            along = along.flip(1) + coordinate_volume(self.anchors, *front.shape[2:])
        return self.refine_offset(front[:, :, None] + along).float()


def _start_at(prior: float, layer: nn.Conv1d | nn.Conv2d, heatmaps: int) -> None:
    """Let a layer's first channels begin at this probability in every cell, and the others at 0."""
    bias = torch.zeros(layer.out_channels)
    bias[:heatmaps] = math.log(prior / (1 - prior))
    layer.bias = nn.Parameter(bias)
