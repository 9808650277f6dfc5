"""Heads that turn features into dense maps at a quarter of the image."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rhobin.geometry.precision import full_precision
from rhobin.nets.features import Features


class UpsamplingHead(nn.Module):
    """From a map at stride 32 to stride 4: GDR-Net's geometry head (`cdpn_rot_head_region.py`).

    A transposed convolution, then bilinear doubling between pairs of 3x3 convolutions.

    Args:
        grid_channels: of the features.
        channels: of every layer.
        std: of the initial weights, as in GDR-Net; None for PyTorch's own.
    """

    def __init__(self, grid_channels: int, channels: int = 256, std: float | None = 0.001) -> None:
        super().__init__()
        self.out_channels = channels
        up = nn.ConvTranspose2d(grid_channels, channels, 3, stride=2, padding=1, output_padding=1, bias=False)
        layers: list[nn.Module] = [up, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        for place in range(3):
            layers += [nn.UpsamplingBilinear2d(scale_factor=2)] if place else []
            layers += [*_conv_norm(channels, channels), *_conv_norm(channels, channels)]
        self.layers = nn.Sequential(*layers)
        if std is not None:
            initialize(self, std)

    def forward(self, features: Features) -> Float[Tensor, "B C H W"]:
        """(B, channels, 8 h, 8 w) of a grid (B, grid_channels, h, w)."""
        return self.layers(features.grid)


class PlainHead(nn.Module):
    """One 3x3 convolution on a map that is at stride 4 already.

    Args:
        grid_channels: of the features.
        channels: of the layer.
    """

    def __init__(self, grid_channels: int, channels: int = 64) -> None:
        super().__init__()
        self.out_channels = channels
        self.layers = nn.Sequential(*_conv_norm(grid_channels, channels))

    def forward(self, features: Features) -> Float[Tensor, "B C H W"]:
        """(B, channels, h, w) of a grid (B, grid_channels, h, w)."""
        return self.layers(features.grid)


class OutputLayer(nn.Module):
    """A 1x1 convolution; with classes, one for each, of which a sample's own is run.

    Args:
        inputs: channels of the map.
        outputs: channels of the result.
        classes: object classes with weights of their own; 0 for one set of weights for all (GDR-Net).
            GDRNPP computes all classes' channels and then picks; the result is the same.
        std: of the initial weights; None for PyTorch's own.
    """

    def __init__(self, inputs: int, outputs: int, classes: int = 0, std: float | None = None) -> None:
        super().__init__()
        self.classes = classes
        self.weight = nn.Parameter(torch.empty(max(1, classes), outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(max(1, classes), outputs))
        nn.init.uniform_(self.weight, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))
        if std is not None:
            nn.init.normal_(self.weight, std=std)

    @full_precision
    def forward(self, x: Float[Tensor, "B C H W"], object_id: Int[Tensor, " B"]) -> Float[Tensor, "B D H W"]:
        """(B, outputs, H, W) of a map (B, inputs, H, W) of objects (B,)."""
        if not self.classes:
            return F.conv2d(x, self.weight[0][..., None, None], self.bias[0])
        own = torch.baddbmm(self.bias[object_id][..., None], self.weight[object_id], x.flatten(2))
        return own.unflatten(-1, x.shape[-2:])


def initialize(module: nn.Module, std: float) -> None:
    """Weights from N(0, std), biases 0; normalisations begin at 1 and 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(part.weight, std=std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _conv_norm(inputs: int, outputs: int) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
