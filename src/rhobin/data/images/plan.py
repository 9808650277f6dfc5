"""Which pixels of a view are decoded and kept for its crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.data.images.decode import FACTORS
from rhobin.data.images.patch import resize_map

_MARGIN = 1.25


@dataclass(frozen=True)
class PatchPlan:
    """Which pixels of a view are kept: a rectangle of the image at 1/factor of its size, then shrunk.

    Attributes:
        factor: 1, 2, 4 or 8.
        left: first column of the rectangle.
        top: first row.
        cut: its width and height.
        size: width and height after shrinking.
    """

    factor: int
    left: int
    top: int
    cut: tuple[int, int]
    size: tuple[int, int]

    @property
    def from_image(self) -> np.ndarray:
        """Map (3, 3) from pixels of the full image to those that are kept."""
        f = self.factor
        sx, sy = (kept / cut / f for kept, cut in zip(self.size, self.cut, strict=True))
        return resize_map(self.left * f, self.top * f, sx, sy)

    @property
    def rows(self) -> slice:
        """Rows of the reduced image."""
        return slice(self.top, self.top + self.cut[1])

    @property
    def columns(self) -> slice:
        """Columns of the reduced image."""
        return slice(self.left, self.left + self.cut[0])


def plan_patch(
    size: tuple[int, int], middle: np.ndarray, reach: np.ndarray, side: float, output: int
) -> PatchPlan:
    """The pixels to keep of a view, no more than crops about a square can show.

    The image is reduced to the smallest of 1, 1/2, 1/4, 1/8 of its size that still gives the crop `output`
    pixels, then shrunk until the crop has at most 1.25 times as many: less to keep and to warp, and free of
    aliasing.

    Args:
        size: width and height of the full image.
        middle: (2,) of the part of the full image that crops can show, pixels.
        reach: (2,) width and height of that part.
        side: of the square, pixels of the full image.
        output: width of the network's input, pixels.
    """
    factor = max(f for f in FACTORS if f == 1 or side / f >= output)
    reduced = (-(-size[1] // factor), -(-size[0] // factor))
    left, top, right, bottom = _rectangle(middle, reach, factor, reduced)
    cut = (right - left, bottom - top)
    shrink = min(1.0, _MARGIN * output * factor / side)
    kept = (max(1, round(shrink * cut[0])), max(1, round(shrink * cut[1])))
    return PatchPlan(factor, left, top, cut, kept)


def _rectangle(
    middle: np.ndarray, reach: np.ndarray, factor: int, shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom, in the reduced image, of what crops can touch; arguments as `plan_patch`."""
    middle = (middle + 0.5) / factor - 0.5
    half = reach / factor / 2 + 2
    left, top = np.clip(np.floor(middle - half), 0, (shape[1] - 1, shape[0] - 1)).astype(int)
    right, bottom = np.clip(np.ceil(middle + half) + 1, (left + 1, top + 1), (shape[1], shape[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)
