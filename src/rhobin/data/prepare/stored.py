"""A view as a prepared root stores it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.data.images.decode import FACTORS, BadSampleError, decode_color
from rhobin.data.images.patch import Patch
from rhobin.data.images.plan import PatchPlan
from rhobin.data.prepare.jpeg import BORDER, UNIT, Units, cut_units

_FINE = 0.95  # stored pixels may be so much coarser than those that a raw view would keep


@dataclass(frozen=True)
class StoredSource:
    """A view of a prepared root: a patch of the image, perhaps shrunk, and masks at full size.

    A `ViewSource` with the raw view's masks to the bit; colour keeps the pixels that are stored.

    Attributes:
        content: the JPEG.
        file: where it lies, for errors.
        masks: those of person and object inside their boxes, uint8 of 0 or 255.
        boxes: (2, 4) x, y, width, height.
        size: width and height of the full image.
        stored: width and height of the patch.
        from_image: (3, 3) map from pixels of the full image to stored pixels.
    """

    content: bytes
    file: Path
    masks: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    size: tuple[int, int]
    stored: tuple[int, int]
    from_image: np.ndarray

    def read_color(self, factor: int) -> np.ndarray:
        """Decode what is stored at 1/factor of its size.

        Raises:
            BadSampleError: it cannot be decoded.
        """
        return decode_color(self.file, self.content, factor)

    def color_patch(self, plan: PatchPlan, shown: np.ndarray | None = None) -> Patch:
        """Colour with pixels that are at least as fine as a plan's, where so much is stored.

        Shape and map are the same whatever is shown; what is not shown may be black.
        """
        finer = self.from_image[0, 0] / plan.from_image[0, 0]
        factor = max(f for f in FACTORS if f == 1 or finer / f >= _FINE)
        kept = self._units(_corners(plan), factor)
        color = self._decode(
            kept if shown is None else kept.overlap(self._units(shown, factor)), kept, factor
        )
        x, y = ((0.5 - UNIT * first) / factor - 0.5 for first in (kept.left, kept.top))
        shrink = np.array([[1 / factor, 0, x], [0, 1 / factor, y], [0, 0, 1]])
        return Patch(color, shrink @ self.from_image)

    def _units(self, points: np.ndarray, factor: int) -> Units:
        """Units that decode at 1/factor to all pixels between points (N, 2) of the full image."""
        places = points @ self.from_image[:2, :2].T + self.from_image[:2, 2]
        border = BORDER + 2 * factor  # interpolation takes pixels on both sides, which are `factor` wide
        low, high = np.floor(places.min(axis=0)) - border, np.ceil(places.max(axis=0)) + border + 1
        return Units.covering((*low.astype(int).tolist(), *high.astype(int).tolist()), self.stored)

    def _decode(self, part: Units, kept: Units, factor: int) -> np.ndarray:
        """Colour of the kept units, of which only a part is decoded."""
        try:
            content = cut_units(self.content, part, self.stored)
        except ValueError as error:
            raise BadSampleError(self.file, "unreadable_image", str(error)) from error
        decoded = decode_color(self.file, content, factor)
        if part == kept:
            return decoded
        width, height = kept.pixels(self.stored)
        color = np.zeros((-(-height // factor), -(-width // factor), 3), np.uint8)
        x, y = ((a - b) * UNIT // factor for a, b in ((part.left, kept.left), (part.top, kept.top)))
        color[y : y + decoded.shape[0], x : x + decoded.shape[1]] = decoded
        return color


def _corners(plan: PatchPlan) -> np.ndarray:
    """Opposite corners (2, 2) of what a plan keeps, in the full image."""
    outer = np.array([[-0.5, -0.5], [plan.size[0] - 0.5, plan.size[1] - 0.5]])
    from_image = plan.from_image
    return (outer - from_image[:2, 2]) / from_image[[0, 1], [0, 1]]
