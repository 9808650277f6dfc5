"""Depth as bins of a volume: even in the logarithm, and counted at one focal length."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class DepthBins:
    """Bins of apparent depth, each deeper than the one before by the same factor.

    A crop shows size, not depth: enlarged twice, a person looks half as far away. So depth is counted as
    it would be in a camera of the reference focal length that sees the same crop: Z focal / focal_of_crop,
    with focal lengths in widths of the image or crop. In a whole image of kinect 1 that is Z itself.

    Attributes:
        near: apparent depth where the first bin begins, metres.
        far: apparent depth where the last bin ends, metres.
        count: number of bins.
        focal: reference focal length in image widths.
    """

    near: float
    far: float
    count: int
    focal: float

    def position(self, depth: float, crop_focal: float) -> float:
        """Place among the bins, where the centre of bin i is i; outside, below -0.5 or above count - 0.5.

        Args:
            depth: metres in front of the camera, positive.
            crop_focal: focal length of the crop in crop widths.
        """
        apparent = depth * self.focal / crop_focal
        return float(self.count * np.log(apparent / self.near) / np.log(self.far / self.near) - 0.5)

    def depth(
        self, position: Float[Tensor, "*B"] | float, crop_focal: Float[Tensor, "*B"] | float
    ) -> Float[Tensor, "*B"] | float:
        """Depth in metres at a place among the bins: the inverse of `position`, for tensors too."""
        apparent = self.near * (self.far / self.near) ** ((position + 0.5) / self.count)
        return apparent * crop_focal / self.focal
