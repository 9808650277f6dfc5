"""From the three JPEGs of a view to the pixels of a crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rhobin.data.images.crops import crop_square
from rhobin.data.images.decode import BadSampleError, read_color, read_mask, size_text
from rhobin.data.images.grid import Grid, choose_grid
from rhobin.data.images.patch import Patch, reduce_mask, warp_color, warp_mask
from rhobin.data.images.rows import BORDER, whole_units


@dataclass(frozen=True)
class Context:
    """The part of a view that any crop of it can show, decoded.

    Attributes:
        color: its colour.
        masks: where the person, then the object, is visible.
        centre: (2,) middle of the square crop in the full image, pixels.
        side: side of the square crop in the full image, pixels.
        size: width and height of the full image.
    """

    color: Patch
    masks: tuple[Patch, Patch]
    centre: np.ndarray
    side: float
    size: tuple[int, int]

    def masks_on_color(self) -> np.ndarray:
        """Both masks (2, h, w) uint8 of 0 or 255 on the pixels of `color`."""
        return np.stack([warp_mask(mask, self.color.from_image, self.color.size) for mask in self.masks])


Aim = Callable[[Context], np.ndarray]
"""From a view without its colour to the map (3, 3) from pixels of the image to those of the crop to show."""

_NO_COLOR = Patch(np.zeros((0, 0, 3), np.uint8), np.eye(3))


class Picture(Protocol):
    """A view that contexts can be cut from, whether it lies in three files or is stored otherwise.

    Attributes:
        parts: masks of person and object inside their boxes, uint8 of 0 or 255 at full size.
        boxes: (2, 4) x, y, width, height of person and object in the full image, pixels.
        size: width and height of the full image.
    """

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """See the attributes."""

    @property
    def boxes(self) -> np.ndarray:
        """See the attributes."""

    @property
    def size(self) -> tuple[int, int]:
        """See the attributes."""

    def color_on(self, grid: Grid, shown: np.ndarray | None = None) -> Patch:
        """Colour with pixels that are about as fine as a grid's, of all that the grid shows.

        Only what lies in the box of points `shown` (N, 2) of the full image need be there.
        """


@dataclass(frozen=True)
class RawPicture:
    """A view in its three files, whose masks are decoded; a `Picture`.

    Attributes:
        file: of the colour image, which is decoded when asked for.
        parts: what lies inside the boxes of the masks of person and object, uint8 of 0 or 255.
        boxes: (2, 4) their boxes: x, y, width, height.
        size: width and height of the full image.
    """

    file: Path
    parts: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    size: tuple[int, int]

    def read_color(self, factor: int) -> np.ndarray:
        """Decode colour at 1/factor of its size.

        Raises:
            BadSampleError: the file cannot be used.
        """
        return read_color(self.file, factor, self.size)

    def color_on(self, grid: Grid, shown: np.ndarray | None = None) -> Patch:
        """Colour on a grid; rows below what is shown may be black."""
        bottom = grid.rows.stop * grid.factor
        if shown is not None:
            pixel = 1 / grid.from_image[1, 1]  # of the grid; cropping and shrinking look at neighbours
            lowest = max(float(shown[:, 1].max()), grid.top * grid.factor)
            bottom = min(bottom, int(lowest + 4 * pixel + 2 * grid.factor))
        color = read_color(self.file, grid.factor, self.size, whole_units(bottom + BORDER))
        part = color[grid.rows, grid.columns]
        if part.shape[1::-1] != grid.patch:
            part = np.zeros((*grid.patch[::-1], 3), np.uint8)
            part[: len(color) - grid.top] = color[grid.rows, grid.columns]
        return Patch(cv2.resize(part, grid.size), grid.from_image)


def load_context(
    picture: Picture, output: int, crop: str, expand: float | None, reach: float, aim: Aim | None = None
) -> Context:
    """Decode a view no finer than needed, and only keep what crops can show.

    Args:
        picture: the view.
        output: width of the network's input, pixels.
        crop: one of `CROPS`.
        expand: factor on the crop's box; None for the method's own.
        reach: how far crops look beyond the square, as a factor on its side.
        aim: which crop will be shown, where it is the only one: colour beyond it may be missing.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    centre, side = crop_square(picture.boxes, crop, expand, picture.size)
    grid = choose_grid(picture.size, centre, side, output, reach)
    person, thing = (
        reduce_mask(part, box, grid.factor) for part, box in zip(picture.parts, picture.boxes, strict=True)
    )
    context = Context(_NO_COLOR, (person, thing), centre, side, picture.size)
    shown = None if aim is None else crop_corners(aim(context), output)
    return replace(context, color=picture.color_on(grid, shown))


def crop_corners(from_image: np.ndarray, output: int) -> np.ndarray | None:
    """Corners (4, 2) of a crop in the full image; None where they are no quadrilateral in front of it.

    Args:
        from_image: (3, 3) map from pixels of the full image to pixels of the crop.
        output: width and height of the crop, pixels.
    """
    low, high = -0.5, output - 0.5
    corners = np.array([[low, low, 1], [high, low, 1], [high, high, 1], [low, high, 1]])
    corners = corners @ np.linalg.inv(from_image).T
    depth = corners[:, 2:]
    return corners[:, :2] / depth if (depth > 0).all() or (depth < 0).all() else None


def read_picture(
    files: tuple[Path, Path, Path], known: tuple[np.ndarray, tuple[int, int]] | None = None
) -> RawPicture:
    """Read the masks of a view; its colour is decoded when asked for.

    Args:
        files: colour, person mask, object mask.
        known: boxes (2, 4) and image size that the same files had before, which saves time.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    boxes = [None, None] if known is None else [(box, known[1]) for box in known[0]]
    person, person_box, size = read_mask(files[1], boxes[0])
    thing, thing_box, thing_size = read_mask(files[2], boxes[1])
    if size != thing_size:
        detail = f"mask is {size_text(thing_size)}, person mask is {size_text(size)}"
        raise BadSampleError(files[2], "image_size", detail)
    return RawPicture(files[0], (person, thing), np.stack([person_box, thing_box]), size)


def warp_context(
    context: Context, from_image: np.ndarray, output: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Resample a view under a homography.

    Args:
        context: the decoded view.
        from_image: (3, 3) map from pixels of the full image to pixels of the output.
        output: width and height of the output, pixels.

    Returns:
        Colour (output, output, 3) BGR uint8, person mask and object mask uint8 of 0 or 255; black outside.
    """
    size = (output, output)
    person, thing = (warp_mask(mask, from_image, size) for mask in context.masks)
    return warp_color(context.color, from_image, size), person, thing
