"""Depth as bins of a volume, counted at one focal length."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

BEV_FOCAL = float(0.5 / np.tan(np.pi / 6))  # image widths; BEV's field of view of 60 degrees
BEV_DEPTHS = ((1, 4), (10, 50), (20, 6), (100, 4))  # metres up to which, and bins of 64


@dataclass(frozen=True)
class DepthBins:
    """Bins of apparent depth, between whose centres inverse depth is linear.

    A crop shows size, not depth: enlarged twice, a person looks half as far away. So depth is counted as
    it would be in a camera of the reference focal length that sees the same crop: Z focal / focal_of_crop,
    with focal lengths in widths of the image or crop.

    Attributes:
        scales: inverse apparent depth at the centre of each bin, nearest first, 1/m.
        focal: reference focal length in image widths.
    """

    scales: tuple[float, ...]
    focal: float

    def position(self, depth: float, crop_focal: float) -> float:
        """Place among the bins, where the centre of bin i is i; outside, beyond -0.5 or count - 0.5.

        Args:
            depth: metres in front of the camera, positive.
            crop_focal: focal length of the crop in crop widths.
        """
        scales, scale = np.array(self.scales), crop_focal / (depth * self.focal)
        before = int(np.clip((scales > scale).sum() - 1, 0, len(scales) - 2))
        return float(before + (scales[before] - scale) / (scales[before] - scales[before + 1]))

    def depth(self, position: Float[Tensor, "*B"], crop_focal: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Depth in metres at a place among the bins, with gradient: the inverse of `position`."""
        scales = position.new_tensor(self.scales)
        before = position.detach().floor().clamp(0, len(scales) - 2).long()
        step = scales[before + 1] - scales[before]
        scale = scales[before] + (position - before) * step
        return crop_focal / (scale * self.focal)


def depth_bins(depth: str, bins: int, near: float, far: float, focal: float) -> DepthBins:
    """Bins by name: "even" between `near` and `far` at `focal` (`even_bins`), or "bev" (`bev_bins`)."""
    return bev_bins(bins) if depth == "bev" else even_bins(near, far, bins, focal)


def even_bins(near: float, far: float, count: int, focal: float) -> DepthBins:
    """Bins each deeper than the one before by the same factor.

    Args:
        near: apparent depth where the first begins, metres.
        far: apparent depth where the last ends, metres.
        count: number of bins.
        focal: reference focal length in image widths.
    """
    share = (np.arange(count) + 0.5) / count
    return DepthBins(tuple((1 / (near * (far / near) ** share)).tolist()), focal)


def bev_bins(count: int) -> DepthBins:
    """BEV's own bins: even in scale up to 1, 10, 20 and 100 m at a field of view of 60 degrees.

    Args:
        count: number of bins, a multiple of 32 (Sun et al., CVPR 2022: 64).

    Raises:
        ValueError: it is not.
    """
    if count <= 0 or count % 32:
        raise ValueError(f"BEV's depths come in multiples of 32 bins, not {count}")
    tangent = np.tan(np.pi / 6)
    scales, last = [], 8.0 * tangent  # it counts in 1 / (Z tan 30) and begins at 8
    for depth, bins in BEV_DEPTHS:
        steps = bins * count // 64
        scales += (last + (1 / depth - last) * np.arange(1, steps + 1) / steps).tolist()
        last = 1 / depth
    return DepthBins(tuple(scales), BEV_FOCAL)
