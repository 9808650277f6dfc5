"""Blocks of the BEV branch, over a plane, along a line and through a volume; layers have BEV's names."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LEAST = 1e-6
BAND = 64  # channels times depth up to which a volume is convolved as a plane


class PlaneBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 convolution.

    Args:
        inputs: channels of the map.
        outputs: channels of the result.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_norm(inputs, outputs, 3), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        )
        self.norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B N h w"]:
        """(B, outputs, h, w) of a map (B, inputs, h, w)."""
        return F.relu(self.norm(self.layers(x)) + self.shortcut(x), inplace=True)


class LineBlock(nn.Module):
    """Two convolutions of three cells along a line, without a residual (BEV's `BasicBlock_1D`).

    Args:
        inputs: channels of the line.
        outputs: channels of the result.
        rectified: end in a normalisation and ReLU, as BEV's do; else in the convolution, with a bias.
    """

    def __init__(self, inputs: int, outputs: int, rectified: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm1d(outputs)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, padding=1, bias=not rectified)
        self.bn2 = nn.BatchNorm1d(outputs) if rectified else None

    def forward(self, x: Float[Tensor, "B C w"]) -> Float[Tensor, "B N w"]:
        """(B, outputs, w) of a line (B, inputs, w)."""
        x = self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True))
        return x if self.bn2 is None else F.relu(self.bn2(x), inplace=True)


class VolumeBlock(nn.Module):
    """Two 3x3x3 convolutions beside the volume itself (BEV's `BasicBlock_3D`); the identity until trained.

    Args:
        channels: of the volume and the result.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x: Float[Tensor, "B C D h w"]) -> Float[Tensor, "B C D h w"]:
        """Volume (B, C, D, h, w) of the same shape."""
        hidden = F.relu(self.bn1(volume_conv(x, self.conv1.weight)), inplace=True)
        return x + self.bn2(volume_conv(hidden, self.conv2.weight))


def volume_conv(
    x: Float[Tensor, "B C D h w"], weight: Float[Tensor, "N C 3 3 3"]
) -> Float[Tensor, "B N D h w"]:
    """3x3x3 convolution of a volume that keeps its size.

    Few channels are slow in three dimensions on a CPU. Where channels times depth are at most `BAND`, it is a
    2D convolution that has depth bins as channels and weights in a band: with one channel twelve times as
    fast forward and back.
    """
    batch, channels, depth, *plane = x.shape
    if channels * depth > BAND:
        return F.conv3d(x, weight, padding=1)
    bins = torch.arange(depth, device=x.device)
    step = bins - bins[:, None] + 1  # (D out, D in) index along the kernel's depth
    near = ((step >= 0) & (step < 3))[..., None, None, None, None]
    band = weight.permute(2, 0, 1, 3, 4)[step.clamp(0, 2)] * near
    flat = band.permute(2, 0, 3, 1, 4, 5).flatten(2, 3).flatten(0, 1)
    return F.conv2d(x.flatten(1, 2), flat, padding=1).view(batch, -1, depth, *plane)


def conv_norm(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    """Convolution without bias, batch normalisation and ReLU; the map keeps its size."""
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def cross(front: Float[Tensor, "B h w"], bird: Float[Tensor, "B D w"]) -> Float[Tensor, "B D h w"]:
    """Product of a front view (B, h, w) and a bird's-eye view (B, D, w), which share their columns."""
    return front[:, None] * bird[:, :, None]


def coordinate_volume(anchors: Float[Tensor, " D"], rows: int, columns: int) -> Float[Tensor, "3 D h w"]:
    """BEV's coordinates of every cell: the scale of its depth bin, then row and column from -1 to below 1.

    Args:
        anchors: (D,) scale of each depth bin.
        rows: height of the volume in cells.
        columns: width of the volume in cells.
    """
    row, column = (
        2 * torch.arange(count, device=anchors.device, dtype=anchors.dtype) / count - 1
        for count in (rows, columns)
    )
    return torch.stack(torch.meshgrid(anchors, row, column, indexing="ij"))


def probability(logits: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Sigmoid in float32, from 1e-6 to 1 - 1e-6, so that its logarithm and logit are finite."""
    return logits.float().sigmoid().clamp(LEAST, 1 - LEAST)
