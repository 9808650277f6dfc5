"""BEV's centre maps: where the person is in front view, from above, and in a volume of depth bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from rhobin.geometry.depth_bins import DepthBins, depth_bins
from rhobin.types import BevMaps

DEPTHS = ("even", "bev")
_DEPTH_KERNEL = 4  # BEV's kernels reach half of it along depth, 2 cells, and 3 in the rear half


@dataclass(frozen=True)
class BevConfig:
    """The volume that BEV's maps are drawn in.

    Attributes:
        stride: input pixels a map pixel is wide.
        bins: number of depth bins.
        depth: "even", bins of one ratio between `near` and `far` at `focal`; or "bev", BEV's own table.
        near: apparent depth where the first begins, metres; see `DepthBins`.
        far: apparent depth where the last ends, metres.
        focal: focal length, in crop widths, at which apparent depth is depth.
    """

    stride: int = 4
    bins: int = 64
    depth: str = "even"
    near: float = 0.4
    far: float = 6.4
    focal: float = 0.4784

    def __post_init__(self):
        if self.depth not in DEPTHS:
            raise ValueError(f"data.targets.bev.depth is {self.depth!r}; expected one of {', '.join(DEPTHS)}")
        if not (0 < self.near < self.far and self.bins > 1 and self.focal > 0):
            raise ValueError(
                f"data.targets.bev: expected 0 < near < far, bins > 1 and focal > 0, found near {self.near}, "
                f"far {self.far}, bins {self.bins}, focal {self.focal}"
            )
        if self.depth == "bev" and self.bins % 32:
            raise ValueError(
                f"data.targets.bev.bins is {self.bins}; data.targets.bev.depth=bev needs a multiple of 32"
            )

    @cached_property
    def depth_bins(self) -> DepthBins:
        """The bins of depth."""
        return depth_bins(self.depth, self.bins, self.near, self.far, self.focal)


def draw_bev(
    centre: np.ndarray, extent: np.ndarray, K_crop: np.ndarray, config: BevConfig, input_size: int
) -> BevMaps:
    """Draw the maps of one person.

    Args:
        centre: (3,) the person's centre in the camera frame, metres.
        extent: (2,) width and height of the person in crop widths.
        K_crop: (3, 3) intrinsics of the crop.
        config: the volume.
        input_size: width of the crop, pixels.

    Returns:
        Maps without a batch axis; all zero when the centre lies outside the volume or behind the camera.
    """
    size, bins = input_size // config.stride, config.bins
    depth, planar = np.zeros((1, bins), np.float32), np.zeros((4, size), np.float32)
    cell, offset = np.zeros(3, np.int64), np.zeros(3)
    place = _place(centre, K_crop, config, input_size)
    nearest = np.floor(place + 0.5)
    inside = bool((nearest >= 0).all() and (nearest < (bins, size, size)).all())
    if inside:
        cell, offset = nearest.astype(np.int64), place - nearest
        depth, planar[:2] = ball_profiles(cell, bins, size)
        # BEV measures boxes in a crop that is two units wide
        planar[2:] = disc_profiles(cell[1:], disc_radius(2 * np.asarray(extent), size), size)
    row, column, front_row, front_column = torch.from_numpy(planar)
    return BevMaps(
        depth=torch.from_numpy(depth[0]),
        row=row,
        column=column,
        front_row=front_row,
        front_column=front_column,
        cell=torch.from_numpy(cell),
        offset=torch.from_numpy(offset.astype(np.float32)),
        weight=torch.tensor(float(inside)),
    )


def disc_radius(box: np.ndarray, size: int) -> int:
    """Radius in cells of a person's front-view kernel (BEV, maps_utils/centermap.py).

    Args:
        box: (2,) height and width of the person in a map that is two units wide.
        size: width of the map in cells.
    """
    return int(np.linalg.norm(box / 2) * (size / 16) + size / 32)


def disc_profiles(cell: np.ndarray, radius: int, size: int) -> np.ndarray:
    """A person's Gaussian in front view along rows and columns: 1 at the cell, sigma a sixth of its width.

    Args:
        cell: (2,) row and column of the centre.
        radius: of the kernel in cells.
        size: width of the map in cells.

    Returns:
        (2, size) profiles; their outer product is the heatmap.
    """
    return profiles(cell, radius, 2 * ((2 * radius + 1) / 6) ** 2, size)


def ball_profiles(cell: np.ndarray, bins: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A person's Gaussian in a volume along its axes: 1 at the cell, smaller but longer the deeper.

    Kernel sizes are BEV's (maps_utils/centermap.py), whose Gaussian lacks the customary factor one half.

    Args:
        cell: (3,) depth bin, row and column of the centre.
        bins: number of depth bins.
        size: width of the volume in cells.

    Returns:
        Profiles along depth (1, bins), and along rows and columns (2, size); the volume is their product.
    """
    depth = cell[0] / bins
    long = int(_DEPTH_KERNEL * (1 + depth)) // 2
    wide = int(size / 16 * (1 - depth) / 2 + size / 32)
    spread = ((2 * long + 1) ** 2 + 2 * (2 * wide + 1) ** 2) / 36
    return profiles(cell[:1], long, spread, bins), profiles(cell[1:], wide, spread, size)


def profiles(cells: np.ndarray, radius: int, spread: float, length: int) -> np.ndarray:
    """exp(-r^2 / spread) within `radius` of each of P cells on a line, else 0.

    Args:
        cells: (P,) places on the line.
        radius: in cells.
        spread: in squared cells.
        length: of the line in cells.

    Returns:
        (P, length) float32.
    """
    square = (np.arange(length) - cells[:, None]) ** 2
    return np.where(square <= radius**2, np.exp(-square / spread), 0).astype(np.float32)


def _place(centre: np.ndarray, K_crop: np.ndarray, config: BevConfig, input_size: int) -> np.ndarray:
    """Depth bin, row and column of a point, fractional; -inf behind the camera."""
    if centre[2] <= 0:
        return np.full(3, -np.inf)
    u, v = (K_crop @ centre)[:2] / centre[2]
    bin_place = config.depth_bins.position(float(centre[2]), float(K_crop[0, 0]) / input_size)
    return np.array([bin_place, (v + 0.5) / config.stride - 0.5, (u + 0.5) / config.stride - 0.5])
