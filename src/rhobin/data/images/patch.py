"""Pixels of a part of a view, and where they lie in the full image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.data.images.decode import threshold


@dataclass(frozen=True)
class Patch:
    """Decoded pixels.

    Attributes:
        pixels: (h, w, 3) BGR uint8; or (h, w) uint8 for a mask, the share of each pixel that it covers.
        from_image: (3, 3) map from pixels of the full image to these, without rotation.
    """

    pixels: np.ndarray
    from_image: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def to_image(self) -> np.ndarray:
        """Map (3, 3) from these pixels to those of the full image."""
        (sx, _, x), (_, sy, y), _ = self.from_image.tolist()
        return np.array([[1 / sx, 0, -x / sx], [0, 1 / sy, -y / sy], [0, 0, 1]])


def resize_map(x0: int, y0: int, sx: float, sy: float) -> np.ndarray:
    """Map (3, 3) from image pixels to those of a patch that begins at (x0, y0) and is scaled by (sx, sy)."""
    return np.array([[sx, 0, (0.5 - x0) * sx - 0.5], [0, sy, (0.5 - y0) * sy - 0.5], [0, 0, 1]])


def reduce_mask(part: np.ndarray, box: np.ndarray, factor: int) -> Patch:
    """A mask at 1/factor of its size.

    Args:
        part: (h, w) uint8 of 0 or 255, what lies inside the mask's box at full size; may be empty.
        box: (4,) x, y, width, height in the full image, pixels.
        factor: 1, 2, 4 or 8; cells of so many pixels, counted from the image's corner, become one.
    """
    x, y, width, height = box.astype(int).tolist()
    left, top = x // factor, y // factor
    size = (-(-(x + width) // factor) - left, -(-(y + height) // factor) - top)
    if factor > 1 and part.size:
        cells = np.zeros((size[1] * factor, size[0] * factor), np.uint8)
        cells[y - top * factor :, x - left * factor :][:height, :width] = part
        part = cv2.resize(cells, size, interpolation=cv2.INTER_AREA)
    return Patch(part, resize_map(left * factor, top * factor, 1 / factor, 1 / factor))


def warp_color(patch: Patch, from_image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Colour (h, w, 3) BGR uint8 under a homography from the full image; black outside the patch.

    Args:
        patch: colour, or one channel (h, w).
        from_image: (3, 3) map from pixels of the full image to pixels of the output.
        size: width and height of the output.
    """
    return _warp(patch.pixels, from_image @ patch.to_image, size)


def warp_mask(patch: Patch, from_image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask (h, w) uint8 of 0 or 255 under a homography; arguments as of `warp_color`."""
    homography = from_image @ patch.to_image
    warped = np.zeros(size[::-1], np.uint8)
    x0, y0, x1, y1 = _bounds(homography, patch.size, size)
    if x0 < x1 and y0 < y1 and patch.pixels.size:
        to_part = np.array([[1.0, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ homography
        seen = _warp(patch.pixels, to_part, (x1 - x0, y1 - y0))
        warped[y0:y1, x0:x1] = threshold(seen)
    return warped


def _warp(pixels: np.ndarray, homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels (h, w, 3) or (h, w) under a homography."""
    if pixels.ndim == 2:
        return cv2.warpPerspective(pixels, homography, size, flags=cv2.INTER_LINEAR)
    # OpenCV 5 warps four channels in half the time of three, to the same bits
    four = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    warped = cv2.warpPerspective(four, homography, size, flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR)


def _bounds(
    homography: np.ndarray, source: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Columns and rows (x0, y0, x1, y1) of the output, ends excluded, that a patch of `source` can cover."""
    (a, b, c), (d, e, f), (g, h, k) = homography.tolist()
    (right, bottom), (width, height) = source, size
    corners = ((-1, -1), (right, -1), (right, bottom), (-1, bottom))
    depth = [g * x + h * y + k for x, y in corners]
    if not (min(depth) > 0 or max(depth) < 0):
        return 0, 0, *size
    u = [min(max((a * x + b * y + c) / w, -1.0), width) for (x, y), w in zip(corners, depth, strict=True)]
    v = [min(max((d * x + e * y + f) / w, -1.0), height) for (x, y), w in zip(corners, depth, strict=True)]
    x0, y0 = max(math.floor(min(u)), 0), max(math.floor(min(v)), 0)
    return x0, y0, min(math.ceil(max(u)) + 1, width), min(math.ceil(max(v)) + 1, height)
