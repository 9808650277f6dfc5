"""HRNet from timm with mask planes beside RGB: four branches fused, or the finest one and a pooled vector."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.nets.features import Features
from rhobin.nets.weights import create_network

BRANCHES = {"all": None, "finest": 1}
"""How many of the branches are fused, from the finest on; None for all."""


class HRNet(nn.Module):
    """HRNet without its classification head (Sun et al., CVPR 2019).

    The branches are brought to the finest one's size, concatenated and mixed by a 1x1 convolution: an
    HRNet-W48 has 48 + 96 + 192 + 384 = 720 channels there, or 48 of the finest branch alone. The pooled
    vector is the mean of the fused map.

    Args:
        variant: timm name, `hrnet_w48` for the paper.
        in_channels: RGB and mask planes.
        out_channels: channels of the fused map.
        weights: None for random, `imagenet` for timm's download, or the path of a state dict in timm's names.
        branches: "all", or "finest": which of them are fused.

    Raises:
        ValueError: unknown branches.
    """

    def __init__(
        self,
        variant: str = "hrnet_w48",
        in_channels: int = 5,
        out_channels: int = 256,
        weights: str | Path | None = None,
        branches: str = "all",
    ) -> None:
        super().__init__()
        if branches not in BRANCHES:
            raise ValueError(f"backbone.branches is {branches!r}; expected any of {', '.join(BRANCHES)}")
        self.net = _create(variant, in_channels, weights, features_only=True, feature_location="")
        self.stem_channels = self.net.conv1.out_channels
        self.grid_channels = self.pooled_channels = out_channels
        widths = self.net.feature_info.channels()[1:]
        self.used = BRANCHES[branches] or len(widths)
        self.fuse = nn.Sequential(
            nn.Conv2d(sum(widths[: self.used]), out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(
        self, image: Float[Tensor, "B P H W"], context: Float[Tensor, "B S"] | None = None
    ) -> Features:
        """Features of an image.

        Args:
            image: (B, P, H, W); H and W are multiples of 32.
            context: (B, S) added to every cell of the stem's first normalised output.

        Returns:
            Features with grid (B, out_channels, H/4, W/4) and pooled (B, out_channels).
        """
        branches = _branches(self.net, image, context)[: self.used]
        size = branches[0].shape[-2:]
        upsampled = [F.interpolate(b, size=size, mode="bilinear", align_corners=False) for b in branches[1:]]
        grid = self.fuse(torch.cat([branches[0], *upsampled], dim=1))
        return Features(grid, grid.mean((2, 3)))


class HRNetPooled(nn.Module):
    """HRNet's finest branch, and the pooled vector that its ImageNet classifier reads, as HybrIK uses them.

    The four branches meet from fine to coarse in one vector of 2,048: a wider block on each, a strided
    convolution from one to the next, all with timm's weights (HybrIK's own start untrained).

    Args:
        variant: timm name of any HRNet.
        in_channels: RGB and mask planes.
        weights: None for random, `imagenet` for timm's download, or the path of a state dict in timm's names,
            a classifier in it or not.
    """

    def __init__(
        self,
        variant: str = "hrnet_w64.ms_in1k",
        in_channels: int = 3,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.net = _create(variant, in_channels, weights, num_classes=0)
        self.stem_channels = self.net.conv1.out_channels
        self.grid_channels = self.net.stage4_cfg["num_channels"][0]
        self.pooled_channels = self.net.num_features

    def forward(
        self, image: Float[Tensor, "B P H W"], context: Float[Tensor, "B S"] | None = None
    ) -> Features:
        """Features of an image.

        Args:
            image: (B, P, H, W); H and W are multiples of 32.
            context: (B, S) added to every cell of the stem's first normalised output.

        Returns:
            Features with grid (B, C, H/4, W/4), C = 64 for a W64, and pooled (B, 2048).
        """
        net = self.net
        fine, *coarser = _branches(net, image, context)
        x = net.incre_modules[0](fine)
        for widen, down, branch in zip(net.incre_modules[1:], net.downsamp_modules, coarser, strict=True):
            x = widen(branch) + down(x)
        return Features(fine, net.final_layer(x).mean((2, 3)))


def _create(variant: str, in_channels: int, weights: str | Path | None, **kinds: Any) -> Any:
    net = create_network(variant, weights, **kinds)
    net.conv1 = widen_stem(net.conv1, in_channels)
    return net


def _branches(net: Any, image: Tensor, context: Tensor | None) -> list[Tensor]:
    """The four maps after the last stage, at a 4th, 8th, 16th and 32nd of the image."""
    x = net.bn1(net.conv1(image))
    x = net.act1(x if context is None else x + context[:, :, None, None])
    return net.stages(net.act2(net.bn2(net.conv2(x))))


def widen_stem(conv: nn.Conv2d, in_channels: int) -> nn.Conv2d:
    """HRNet's first convolution for more planes: RGB weights kept, the new planes' weights zero."""
    wide = nn.Conv2d(in_channels, conv.out_channels, 3, stride=2, padding=1, bias=False)
    with torch.no_grad():
        wide.weight.zero_()
        wide.weight[:, : conv.in_channels] = conv.weight
    return wide
