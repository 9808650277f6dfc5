"""A small backbone for CPU: a strided pyramid, fused top-down to one map at a quarter of the image."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.nets.features import Features

PATCH = 4


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, then batch normalisation; the map shrinks by `stride`."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 projection; halves the map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = conv_norm(inputs, outputs, 3, stride=2)
        self.refine = conv_norm(outputs, outputs, 3)
        self.shortcut = conv_norm(inputs, outputs, 1, stride=2)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D hh ww"]:
        """Map (B, C, h, w) to (B, D, h/2, w/2)."""
        y = self.refine(F.relu(self.down(x), inplace=True))
        return F.relu(y + self.shortcut(x), inplace=True)


class Lite(nn.Module):
    """A stem on patches, three blocks of a pair of convolutions, a feature pyramid of 1x1 laterals.

    The stem sees 4x4 pixels of all planes as one cell: work at full size is what a CPU is slowest at.

    Args:
        in_channels: image and mask planes.
        widths: channels at strides 4, 8, 16 and 32.
        out_channels: channels of the fused map at stride 4.
    """

    def __init__(
        self, in_channels: int = 5, widths: Sequence[int] = (64, 96, 128, 160), out_channels: int = 64
    ) -> None:
        super().__init__()
        self.stem_channels, self.grid_channels, self.pooled_channels = widths[0], out_channels, widths[-1]
        self.stem = conv_norm(in_channels * PATCH**2, widths[0], 3)
        self.blocks = nn.ModuleList(BasicBlock(i, o) for i, o in pairwise(widths))
        self.laterals = nn.ModuleList(nn.Conv2d(w, out_channels, 1) for w in widths)
        self.fuse = conv_norm(out_channels, out_channels, 3)

    def forward(
        self, image: Float[Tensor, "B P H W"], context: Float[Tensor, "B S"] | None = None
    ) -> Features:
        """Features of an image.

        Args:
            image: (B, P, H, W); H and W are multiples of 32.
            context: (B, S) added to every cell of the stem's output.

        Returns:
            Features with grid (B, out_channels, H/4, W/4) and pooled (B, widths[-1]).
        """
        x = self.stem(F.pixel_unshuffle(image, PATCH))
        x = F.relu(x if context is None else x + context[:, :, None, None])
        maps = [x]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        grid = self.laterals[-1](maps[-1])
        for lateral, level in zip(self.laterals[-2::-1], maps[-2::-1], strict=True):
            grid = lateral(level) + F.interpolate(grid, scale_factor=2, mode="nearest")
        return Features(F.relu(self.fuse(grid)), maps[-1].mean((2, 3)))
