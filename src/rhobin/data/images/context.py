"""From the three JPEGs of a view to the network's input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rhobin.data.images.crops import crop_square
from rhobin.data.images.decode import BadSampleError, read_color, read_mask, size_text, threshold
from rhobin.data.images.grid import Grid, choose_grid, masks_on_grid
from rhobin.data.images.rows import BORDER, whole_units

MEAN = np.array([0.485, 0.456, 0.406])  # ImageNet, RGB
STD = np.array([0.229, 0.224, 0.225])
BACKGROUNDS = ("keep", "zero")
_NORMALISED = ((np.arange(256) / 255 - MEAN[:, None]) / STD[:, None]).astype(np.float32)


@dataclass(frozen=True)
class Context:
    """The part of a view that any crop of it can show, decoded.

    Attributes:
        color: (h, w, 3) BGR uint8.
        masks: (2, h, w) uint8, 255 where the person, then the object, is visible.
        from_image: (3, 3) map from pixels of the full image to pixels of this patch.
        centre: (2,) middle of the square crop in the full image, pixels.
        side: side of the square crop in the full image, pixels.
        size: width and height of the full image.
        color_from_image: the same map to pixels of `color`, where those are others: see `aligned`.
    """

    color: np.ndarray
    masks: np.ndarray
    from_image: np.ndarray
    centre: np.ndarray
    side: float
    size: tuple[int, int]
    color_from_image: np.ndarray | None = None


Aim = Callable[[Context], np.ndarray]
"""From a view without its colour to the map (3, 3) from pixels of the image to those of the crop to show."""

_NO_COLOR = np.zeros((0, 0, 3), np.uint8)


class Picture(Protocol):
    """A view that contexts can be cut from, whether it lies in three files or is stored otherwise.

    Attributes:
        boxes: (2, 4) x, y, width, height of person and object in the full image, pixels.
        size: width and height of the full image.
    """

    @property
    def boxes(self) -> np.ndarray:
        """See the attributes."""

    @property
    def size(self) -> tuple[int, int]:
        """See the attributes."""

    def color_on(self, grid: Grid, shown: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
        """Colour (h, w, 3) BGR uint8, and the map from the image to its pixels if it is not the grid's.

        Of a grid, only what lies in the box of points `shown` (N, 2) of the full image need be there.
        """

    def masks_on(self, grid: Grid) -> np.ndarray:
        """Person and object (2, h, w) uint8 of 0 or 255 on a grid."""


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

    def color_on(self, grid: Grid, shown: np.ndarray | None = None) -> tuple[np.ndarray, None]:
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
        return cv2.resize(part, grid.size), None

    def masks_on(self, grid: Grid) -> np.ndarray:
        """Masks on a grid."""
        return masks_on_grid(grid, self.parts, self.boxes)


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
    context = Context(_NO_COLOR, picture.masks_on(grid), grid.from_image, centre, side, picture.size)
    shown = None if aim is None else crop_corners(aim(context), output)
    color, color_from_image = picture.color_on(grid, shown)
    return replace(context, color=color, color_from_image=color_from_image)


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
    person, person_box, size = read_mask(files[1], "empty_person_mask", boxes[0])
    thing, thing_box, thing_size = read_mask(files[2], "empty_object_mask", boxes[1])
    if size != thing_size:
        detail = f"mask is {size_text(thing_size)}, person mask is {size_text(size)}"
        raise BadSampleError(files[2], "image_size", detail)
    return RawPicture(files[0], (person, thing), np.stack([person_box, thing_box]), size)


def aligned(context: Context) -> Context:
    """The same view with colour and masks on the same pixels."""
    if context.color_from_image is None:
        return context
    size = context.masks.shape[:0:-1]
    matrix = (context.from_image @ np.linalg.inv(context.color_from_image))[:2]
    color = cv2.warpAffine(
        context.color, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return replace(context, color=color, color_from_image=None)


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
    homography = from_image @ np.linalg.inv(context.from_image)
    of_color = homography
    if context.color_from_image is not None:
        of_color = from_image @ np.linalg.inv(context.color_from_image)
    size = (output, output)
    color = cv2.warpPerspective(context.color, of_color, size, flags=cv2.INTER_LINEAR)
    person, thing = (
        threshold(cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_LINEAR))
        for mask in context.masks
    )
    return color, person, thing


def network_input(color: np.ndarray, person: np.ndarray, thing: np.ndarray, background: str) -> np.ndarray:
    """Stack normalised RGB and both masks.

    Args:
        color: (H, W, 3) BGR uint8.
        person: (H, W) uint8 mask of 0 or 255.
        thing: (H, W) uint8 mask of the object.
        background: "keep", or "zero" to blacken what neither mask covers.

    Returns:
        (5, H, W) float32.
    """
    if background == "zero":
        color = cv2.bitwise_and(color, color, mask=cv2.bitwise_or(person, thing))
    planes = np.empty((5, *person.shape), np.float32)
    for plane, channel, table in zip(planes[:3], cv2.split(color)[::-1], _NORMALISED, strict=True):
        cv2.LUT(channel, table, dst=plane)
    np.divide(person, np.float32(255), out=planes[3])
    np.divide(thing, np.float32(255), out=planes[4])
    return planes
