"""From the three JPEGs of a view to the network's input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rhobin.behave.video import VideoError, read_frame, split_frame
from rhobin.data.crops import MASK_THRESHOLD, crop_square, mask_box

MEAN = np.array([0.485, 0.456, 0.406])  # ImageNet, RGB
STD = np.array([0.229, 0.224, 0.225])
BACKGROUNDS = ("keep", "zero")
_MARGIN = 1.25
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_NORMALISED = ((np.arange(256) / 255 - MEAN[:, None]) / STD[:, None]).astype(np.float32)
_TAIL = 64  # bytes at the end of a file that are searched first for JPEG's end marker


class BadSampleError(ValueError):
    """A view whose images cannot be used.

    Attributes:
        file: the file at fault.
        reason: a key of `rhobin.behave.skips.REASONS`.
        detail: what was found.
    """

    def __init__(self, file: Path, reason: str, detail: str):
        super().__init__(f"{file}: {detail}")
        self.file, self.reason, self.detail = file, reason, detail


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


@dataclass(frozen=True)
class Grid:
    """Which pixels of a view are kept: a patch of the image at 1/factor of its size, then shrunk.

    Attributes:
        factor: 1, 2, 4 or 8.
        left: first column of the patch.
        top: first row.
        patch: its width and height.
        size: width and height after shrinking.
    """

    factor: int
    left: int
    top: int
    patch: tuple[int, int]
    size: tuple[int, int]

    @property
    def from_image(self) -> np.ndarray:
        """Map (3, 3) from pixels of the full image to those that are kept."""
        f = self.factor
        sx, sy = (kept / cut / f for kept, cut in zip(self.size, self.patch, strict=True))
        return _resize_map(self.left * f, self.top * f, sx, sy)

    @property
    def rows(self) -> slice:
        """Rows of the reduced image."""
        return slice(self.top, self.top + self.patch[1])

    @property
    def columns(self) -> slice:
        """Columns of the reduced image."""
        return slice(self.left, self.left + self.patch[0])


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

    def color_on(self, grid: Grid) -> tuple[np.ndarray, np.ndarray | None]:
        """Colour (h, w, 3) BGR uint8, and the map from the image to its pixels if it is not the grid's."""

    def masks_on(self, grid: Grid) -> np.ndarray:
        """Person and object (2, h, w) uint8 of 0 or 255 on a grid."""


@dataclass(frozen=True)
class RawPicture:
    """A view in its three files, whose masks are decoded; a `Picture`.

    Attributes:
        file: of the colour image, which is decoded when asked for.
        masks: person and object at full size, (H, W) uint8 of 0 or 255 each.
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
        return _read_color(self.file, factor, self.size)

    def color_on(self, grid: Grid) -> tuple[np.ndarray, None]:
        """Colour on a grid."""
        return cv2.resize(self.read_color(grid.factor)[grid.rows, grid.columns], grid.size), None

    def masks_on(self, grid: Grid) -> np.ndarray:
        """Masks on a grid."""
        f, (width, height) = grid.factor, grid.patch
        rows = slice(grid.top * f, (grid.top + height) * f)
        columns = slice(grid.left * f, (grid.left + width) * f)
        return np.stack(
            [shrink_mask(reduce_mask(m[rows, columns], grid.patch), grid.size) for m in self.masks]
        )


def load_context(picture: Picture, output: int, crop: str, expand: float | None, reach: float) -> Context:
    """Decode a view no finer than needed, and only keep what crops can show.

    Args:
        picture: the view.
        output: width of the network's input, pixels.
        crop: one of `CROPS`.
        expand: factor on the crop's box; None for the method's own.
        reach: how far crops look beyond the square, as a factor on its side.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    centre, side = crop_square(picture.boxes, crop, expand, picture.size)
    grid = choose_grid(picture.size, centre, side, output, reach)
    color, color_from_image = picture.color_on(grid)
    return Context(
        color, picture.masks_on(grid), grid.from_image, centre, side, picture.size, color_from_image
    )


def read_picture(files: tuple[Path, Path, Path]) -> RawPicture:
    """Read the masks of a view; its colour is decoded when asked for.

    Args:
        files: colour, person mask, object mask.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    person, person_box = _read_mask(files[1], "empty_person_mask")
    thing, thing_box = _read_mask(files[2], "empty_object_mask")
    if person.shape != thing.shape:
        detail = f"mask is {_size(thing)}, person mask is {_size(person)}"
        raise BadSampleError(files[2], "image_size", detail)
    size = (person.shape[1], person.shape[0])
    return RawPicture(files[0], (person, thing), np.stack([person_box, thing_box]), size)


def choose_grid(size: tuple[int, int], centre: np.ndarray, side: float, output: int, reach: float) -> Grid:
    """The pixels to keep of a view, no more than crops about a square can show.

    The image is reduced to the smallest of 1, 1/2, 1/4, 1/8 of its size that still gives the crop `output`
    pixels, then shrunk until the crop has at most 1.25 times as many: less to keep and to warp, and free of
    aliasing.

    Args:
        size: width and height of the full image.
        centre: (2,) middle of the square, pixels of the full image.
        side: its side.
        output: width of the network's input, pixels.
        reach: how far crops look beyond the square, as a factor on its side.
    """
    factor = max(f for f in _REDUCED if f == 1 or side / f >= output)
    reduced = (-(-size[1] // factor), -(-size[0] // factor))
    left, top, right, bottom = _patch(centre, side * reach, factor, reduced)
    patch = (right - left, bottom - top)
    shrink = min(1.0, _MARGIN * output * factor / side)
    kept = (max(1, round(shrink * patch[0])), max(1, round(shrink * patch[1])))
    return Grid(factor, left, top, patch, kept)


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
        _threshold(cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_LINEAR))
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


def reduce_mask(mask: np.ndarray, patch: tuple[int, int]) -> np.ndarray:
    """A part of a full-size mask at the size of a patch of the reduced image."""
    return mask if mask.shape[::-1] == patch else cv2.resize(mask, patch, interpolation=cv2.INTER_AREA)


def shrink_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A reduced mask at the size that is kept, 0 or 255."""
    return _threshold(cv2.resize(mask, size))


def _resize_map(x0: int, y0: int, sx: float, sy: float) -> np.ndarray:
    """Map from image pixels to those of a patch that begins at (x0, y0) and is scaled by (sx, sy)."""
    return np.array([[sx, 0, (0.5 - x0) * sx - 0.5], [0, sy, (0.5 - y0) * sy - 0.5], [0, 0, 1]])


def _read_mask(file: Path, empty: str) -> tuple[np.ndarray, np.ndarray]:
    """A mask at full size, 0 or 255, and its box."""
    mask = _threshold(_decode(file, cv2.IMREAD_GRAYSCALE))
    box = mask_box(mask)
    if not box.any():
        raise BadSampleError(file, empty, "no pixel is set")
    return mask, box


def _read_color(file: Path, factor: int, size: tuple[int, int]) -> np.ndarray:
    """Colour at 1/factor of its size, which must be that of masks of `size`."""
    color = _decode(file, _REDUCED[factor])
    expected = (-(-size[1] // factor), -(-size[0] // factor))
    if color.shape[:2] != expected:
        detail = f"image is {_size(color)} at 1/{factor} of its size, masks are {size[0]}x{size[1]}"
        raise BadSampleError(file, "image_size", detail)
    return color


def _patch(
    centre: np.ndarray, reach: float, factor: int, shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the patch in the reduced image that a crop of width `reach` can touch."""
    middle = (centre + 0.5) / factor - 0.5
    half = reach / factor / 2 + 2
    left, top = np.clip(np.floor(middle - half), 0, (shape[1] - 1, shape[0] - 1)).astype(int)
    right, bottom = np.clip(np.ceil(middle + half) + 1, (left + 1, top + 1), (shape[1], shape[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)


def decode_color(file: Path, content: bytes, factor: int) -> np.ndarray:
    """Decode colour (h, w, 3) BGR uint8 at 1/factor of its size.

    Args:
        file: named in errors.
        content: of that file.
        factor: 1, 2, 4 or 8.

    Raises:
        BadSampleError: the content is no complete image.
    """
    return _decode_bytes(file, content, _REDUCED[factor])


def _decode(file: Path, flag: int) -> np.ndarray:
    frame = split_frame(file)
    if frame is not None:
        return _decode_frame(file, *frame, flag)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadSampleError(file, "unreadable_image", f"cannot be read: {error.strerror}") from error
    return _decode_bytes(file, content, flag)


def _decode_frame(file: Path, video: Path, index: int, flag: int) -> np.ndarray:
    """A frame of a video as `_decode` gives images: reduced, or grey."""
    try:
        image = read_frame(video, index)
    except VideoError as error:
        raise BadSampleError(file, "unreadable_image", str(error)) from error
    if flag == cv2.IMREAD_GRAYSCALE:
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    factor = next(factor for factor, reduced in _REDUCED.items() if reduced == flag)
    size = (-(-image.shape[1] // factor), -(-image.shape[0] // factor))
    return image if factor == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _decode_bytes(file: Path, content: bytes, flag: int) -> np.ndarray:
    if not content:
        raise BadSampleError(file, "empty_file", "zero bytes")
    if content.startswith(b"\xff\xd8") and not _jpeg_ends(content):
        raise BadSampleError(file, "unreadable_image", f"JPEG is truncated after {len(content)} bytes")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise BadSampleError(file, "unreadable_image", "not an image that OpenCV can decode")
    return image


def _jpeg_ends(content: bytes) -> bool:
    """Whether the end marker comes after the last scan began."""
    if content.rfind(b"\xff\xd9", -_TAIL) > content.rfind(b"\xff\xda", -_TAIL):
        return True
    return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")


def _threshold(mask: np.ndarray) -> np.ndarray:
    """Make a mask 0 or 255, in place."""
    return cv2.threshold(mask, MASK_THRESHOLD, 255, cv2.THRESH_BINARY, dst=mask)[1]


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
