"""What a backbone hands to its heads."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Features(NamedTuple):
    """One image's features.

    Attributes:
        grid: (B, C, h, w) feature map.
        pooled: (B, P) global vector.
    """

    grid: Float[Tensor, "B C h w"]
    pooled: Float[Tensor, "B P"]
