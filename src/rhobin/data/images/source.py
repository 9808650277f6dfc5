"""Where the pixels of a view come from: three files, or what a prepared root stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rhobin.behave.release import ViewFiles
from rhobin.data.images.decode import BadSampleError, read_color, read_mask, size_text
from rhobin.data.images.patch import Patch
from rhobin.data.images.plan import PatchPlan
from rhobin.data.images.rows import BORDER, whole_units


class ViewSource(Protocol):
    """A view whose masks are read and whose colour is not.

    Attributes:
        masks: of person and object inside their boxes, uint8 of 0 or 255 at full size.
        boxes: (2, 4) x, y, width, height of person and object in the full image, pixels; 0 for an empty mask.
        size: width and height of the full image.
    """

    @property
    def masks(self) -> tuple[np.ndarray, np.ndarray]:
        """See the attributes."""

    @property
    def boxes(self) -> np.ndarray:
        """See the attributes."""

    @property
    def size(self) -> tuple[int, int]:
        """See the attributes."""

    def color_patch(self, plan: PatchPlan, shown: np.ndarray | None = None) -> Patch:
        """Colour with pixels that are about as fine as a plan's, of all that the plan keeps.

        Only what lies in the box of points `shown` (N, 2) of the full image need be there.
        """


@dataclass(frozen=True)
class RawSource:
    """A view in its files; a `ViewSource`.

    Attributes:
        file: of the colour image, which is decoded when asked for.
        masks: what lies inside the boxes of the masks of person and object, uint8 of 0 or 255.
        boxes: (2, 4) their boxes: x, y, width, height.
        size: width and height of the full image.
    """

    file: Path
    masks: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    size: tuple[int, int]

    def read_color(self, factor: int) -> np.ndarray:
        """Decode colour at 1/factor of its size.

        Raises:
            BadSampleError: the file cannot be used.
        """
        return read_color(self.file, factor, self.size)

    def color_patch(self, plan: PatchPlan, shown: np.ndarray | None = None) -> Patch:
        """Colour as planned; rows below what is shown may be black."""
        bottom = plan.rows.stop * plan.factor
        if shown is not None:
            pixel = 1 / plan.from_image[1, 1]  # as planned; cropping and shrinking look at neighbours
            lowest = max(float(shown[:, 1].max()), plan.top * plan.factor)
            bottom = min(bottom, int(lowest + 4 * pixel + 2 * plan.factor))
        color = read_color(self.file, plan.factor, self.size, whole_units(bottom + BORDER))
        return planned_patch(color, plan)


def planned_patch(color: np.ndarray, plan: PatchPlan) -> Patch:
    """The pixels that a plan keeps of colour (h, w, 3) at 1/factor of its size; rows may lack at its end."""
    part = color[plan.rows, plan.columns]
    if part.shape[1::-1] != plan.cut:
        part = np.zeros((*plan.cut[::-1], 3), np.uint8)
        part[: len(color) - plan.top] = color[plan.rows, plan.columns]
    return Patch(cv2.resize(part, plan.size), plan.from_image)


def read_source(files: ViewFiles, known: tuple[np.ndarray, tuple[int, int]] | None = None) -> RawSource:
    """Read the masks of a view; its colour is decoded when asked for.

    Args:
        files: colour, person mask, object mask.
        known: boxes (2, 4) and image size that the same files had before, which saves time.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    boxes = [None, None] if known is None else [(box, known[1]) for box in known[0]]
    found = [
        None if file is None else read_mask(file, box) for file, box in zip(files[1:], boxes, strict=True)
    ]
    person, obj = found
    if person and obj and person[2] != obj[2]:
        detail = f"mask is {size_text(obj[2])}, person mask is {size_text(person[2])}"
        raise BadSampleError(files[2] or files[0], "image_size", detail)
    size = next(mask[2] for mask in (person, obj) if mask)
    nothing = (np.zeros((0, 0), np.uint8), np.zeros(4), size)
    (person_mask, person_box, _), (object_mask, object_box, _) = person or nothing, obj or nothing
    return RawSource(files[0], (person_mask, object_mask), np.stack([person_box, object_box]), size)
