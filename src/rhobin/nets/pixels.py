"""Maps of an image that points in space read: stacked hourglasses, or a backbone with its first layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

GROUPS = 32
STEM = 64  # channels of the hourglasses' first layer
INITIAL = 0.02


class PixelMaps(NamedTuple):
    """What points read.

    Attributes:
        stacks: maps (B, C, h, w), one for each stage that predicts; the last one is the best.
        fine: (B, D, H, W) a shallow map of higher resolution, the same for every stage.
    """

    stacks: tuple[Tensor, ...]
    fine: Tensor


class ConvBlock(nn.Module):
    """Three 3x3 convolutions whose outputs, a half, a quarter and a quarter of the channels, are joined.

    Each follows a group norm; the sum with the input, projected where channels differ, is the output.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        widths = (inputs, outputs // 2, outputs // 4)
        self.norms = nn.ModuleList(nn.GroupNorm(min(GROUPS, width), width) for width in widths)
        made = zip(widths, (outputs // 2, outputs // 4, outputs // 4), strict=True)
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in made)
        self.shortcut = None
        if inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.shortcut = nn.Sequential(nn.GroupNorm(min(GROUPS, inputs), inputs), nn.ReLU(), projection)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D h w"]:
        """Map (B, C, h, w) to (B, D, h, w)."""
        parts, y = [], x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            y = conv(F.relu(norm(y)))
            parts.append(y)
        return torch.cat(parts, 1) + (x if self.shortcut is None else self.shortcut(x))


class Hourglass(nn.Module):
    """Down to a 2^depth-th of the size and up again, a block beside each level and three below it."""

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        self.beside, self.down, self.up = (ConvBlock(channels, channels) for _ in range(3))
        self.below = Hourglass(depth - 1, channels) if depth > 1 else ConvBlock(channels, channels)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C h w"]:
        """Map of the same size; h and w are multiples of 2^depth."""
        low = self.up(self.below(self.down(F.avg_pool2d(x, 2))))
        return self.beside(x) + F.interpolate(low, scale_factor=2, mode="bicubic", align_corners=True)


class Hourglasses(nn.Module):
    """PIFu's filter with group norm: maps at a quarter of the image, one for each stack.

    Args:
        in_channels: image and mask planes.
        stacks: hourglasses, one after the other.
        depth: levels of each.
        channels: of each map.

    Attributes:
        grid_channels: of each stack's map.
        fine_channels: of the first layer's map, at half of the image's size, which no point teaches.
    """

    def __init__(self, in_channels: int = 5, stacks: int = 5, depth: int = 2, channels: int = 256) -> None:
        super().__init__()
        self.grid_channels, self.fine_channels = channels, STEM
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, STEM, 7, 2, 3), nn.GroupNorm(GROUPS, STEM), nn.ReLU()
        )
        half = channels // 2
        self.first = ConvBlock(STEM, half)
        self.second = nn.Sequential(ConvBlock(half, half), ConvBlock(half, channels))
        self.hourglasses = nn.ModuleList(
            nn.Sequential(
                Hourglass(depth, channels),
                ConvBlock(channels, channels),
                nn.Conv2d(channels, channels, 1),
                nn.GroupNorm(GROUPS, channels),
                nn.ReLU(),
            )
            for _ in range(stacks)
        )
        self.outputs, self.inner, self.outer = (
            nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(count))
            for count in (stacks, stacks - 1, stacks - 1)
        )
        self.apply(_initialise)

    def forward(self, image: Float[Tensor, "B P H W"]) -> PixelMaps:
        """Maps of an image whose height and width are multiples of 4 * 2^depth."""
        fine = self.stem(image)
        x, found = self.second(F.avg_pool2d(self.first(fine), 2)), []
        for number, (hourglass, output) in enumerate(zip(self.hourglasses, self.outputs, strict=True)):
            y = hourglass(x)
            found.append(output(y))
            if number < len(self.inner):
                x = x + self.inner[number](y) + self.outer[number](found[-1])
        return PixelMaps(tuple(found), fine.detach())


class BackboneMaps(nn.Module):
    """Any backbone's map, and beside it one layer at half of the image's size.

    Args:
        backbone: maps (B, P, H, W) to `Features`; tells `grid_channels`.
        in_channels: image and mask planes.
        fine_channels: channels of that layer.

    Attributes:
        grid_channels: of the backbone's map.
        fine_channels: as given.
    """

    def __init__(self, backbone: Any, in_channels: int = 5, fine_channels: int = 16) -> None:
        super().__init__()
        self.backbone, self.grid_channels, self.fine_channels = (
            backbone,
            backbone.grid_channels,
            fine_channels,
        )
        self.fine = nn.Sequential(
            nn.Conv2d(in_channels, fine_channels, 5, 2, 2, bias=False),
            nn.BatchNorm2d(fine_channels),
            nn.ReLU(),
        )

    def forward(self, image: Float[Tensor, "B P H W"]) -> PixelMaps:
        """Maps of an image of the backbone's sizes."""
        return PixelMaps((self.backbone(image).grid,), self.fine(image))


def _initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02, biases of zero: as released."""
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, INITIAL)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
