"""A place in a volume as features: sines and cosines of its coordinates, then two layers."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class PlaceEmbedding(nn.Module):
    """Features of places (depth, row, column), each coordinate from 0 to 1.

    Args:
        channels: of the result.
        frequencies: sines and cosines of each coordinate: half a period across the volume, one, two, four ...
        hidden: width of the layer between.
    """

    waves: Tensor

    def __init__(self, channels: int, frequencies: int = 5, hidden: int = 64) -> None:
        super().__init__()
        waves = math.pi * 2.0 ** torch.arange(frequencies)
        self.register_buffer("waves", waves, persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(6 * frequencies, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels)
        )

    def forward(self, place: Float[Tensor, "B 3"]) -> Float[Tensor, "B C"]:
        """(B, channels) of places (B, 3)."""
        angles = (place[..., None] * self.waves).flatten(1)
        return self.layers(torch.cat([angles.sin(), angles.cos()], dim=1))
