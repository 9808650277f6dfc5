"""A view as a prepared root stores it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.data.images.decode import FACTORS, decode_color
from rhobin.data.images.grid import Grid, reduce_mask, shrink_mask

_FINE = 0.95  # stored pixels may be so much coarser than those that a raw view would keep


@dataclass(frozen=True)
class StoredPicture:
    """A view of a prepared root: a patch of the image, perhaps shrunk, and masks at full size.

    Its contexts have the raw view's masks to the bit; colour keeps the pixels that are stored.

    Attributes:
        content: the JPEG.
        file: where it lies, for errors.
        parts: masks of person and object inside their boxes, uint8 of 0 or 255.
        boxes: (2, 4) x, y, width, height.
        size: width and height of the full image.
        from_image: (3, 3) map from pixels of the full image to stored pixels.
    """

    content: bytes
    file: Path
    parts: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    size: tuple[int, int]
    from_image: np.ndarray

    def read_color(self, factor: int) -> np.ndarray:
        """Decode what is stored at 1/factor of its size.

        Raises:
            BadSampleError: it cannot be decoded.
        """
        return decode_color(self.file, self.content, factor)

    def color_on(self, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """Colour with pixels that are at least as fine as a grid's where so much is stored, and their map."""
        finer = self.from_image[0, 0] / grid.from_image[0, 0]
        factor = max(f for f in FACTORS if f == 1 or finer / f >= _FINE)
        shrink = np.array(
            [[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5], [0, 0, 1]]
        )
        color, place = self.read_color(factor), shrink @ self.from_image
        corners = np.array([[-1, -1, 1], [*grid.size, 1]]) @ (place @ np.linalg.inv(grid.from_image)).T
        left, top = np.maximum(np.floor(corners[0, :2]), 0).astype(int)
        right, bottom = np.ceil(corners[1, :2]).astype(int) + 1
        shift = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
        return color[top:bottom, left:right], shift @ place

    def masks_on(self, grid: Grid) -> np.ndarray:
        """The raw view's masks on a grid."""
        return np.stack([_mask_on(grid, part, box) for part, box in zip(self.parts, self.boxes, strict=True)])


def _mask_on(grid: Grid, part: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A mask on a grid, of which only the part inside its box is touched."""
    f, (x, y) = grid.factor, box[:2].astype(int).tolist()
    left, top = x // f, y // f
    right, bottom = -(-(x + part.shape[1]) // f), -(-(y + part.shape[0]) // f)
    cells = np.zeros(((bottom - top) * f, (right - left) * f), np.uint8)
    cells[y - top * f :, x - left * f :][: part.shape[0], : part.shape[1]] = part
    reduced = reduce_mask(cells, (right - left, bottom - top))
    patch = np.zeros(grid.patch[::-1], np.uint8)
    first, last = max(top, grid.top), min(bottom, grid.rows.stop)
    start, stop = max(left, grid.left), min(right, grid.columns.stop)
    if first < last and start < stop:
        seen = reduced[first - top : last - top, start - left : stop - left]
        patch[first - grid.top : last - grid.top, start - grid.left : stop - grid.left] = seen
    return shrink_mask(patch, grid.size)
