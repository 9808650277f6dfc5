"""What a backbone hands to its heads."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

GRID_STRIDE = 4
"""Pixels of the image that a cell of every backbone's feature map is wide."""


class Features(NamedTuple):
    """One image's features.

    Attributes:
        grid: (B, C, h, w) feature map.
        pooled: (B, P) global vector.
    """

    grid: Float[Tensor, "B C h w"]
    pooled: Float[Tensor, "B P"]
