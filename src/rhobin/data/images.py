"""From the three JPEGs of a view to the network's input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    """

    color: np.ndarray
    masks: np.ndarray
    from_image: np.ndarray
    centre: np.ndarray
    side: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Picture:
    """A view as it lies in a store: the whole image, or a part of it that may be shrunk.

    Attributes:
        read_color: decodes the stored colour (h, w, 3) BGR uint8 at 1/factor of its size.
        masks: person and object, (h, w) uint8 of 0 or 255 each.
        boxes: (2, 4) x, y, width, height of person and object in the full image, pixels.
        from_image: (3, 3) map from pixels of the full image to stored pixels.
        size: width and height of the full image.
        slack: crops may keep so many times more pixels a side than they need: resizing costs time, too.
    """

    read_color: Callable[[int], np.ndarray]
    masks: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    from_image: np.ndarray
    size: tuple[int, int]
    slack: float = 1.0


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
    return cut_context(picture, *crop_square(picture.boxes, crop, expand, picture.size), output, reach)


def read_picture(files: tuple[Path, Path, Path]) -> Picture:
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
    return Picture(
        read_color=lambda factor: _read_color(files[0], factor, person.shape),
        masks=(person, thing),
        boxes=np.stack([person_box, thing_box]),
        from_image=np.eye(3),
        size=person.shape[::-1],
    )


def cut_context(picture: Picture, centre: np.ndarray, side: float, output: int, reach: float) -> Context:
    """Decode the part of a picture that crops about a square can show.

    The image is decoded at the smallest of 1, 1/2, 1/4, 1/8 of its size that still gives the crop
    `output` pixels, then shrunk until the crop has at most 1.25 times as many: less to keep and to warp,
    and free of aliasing.

    Args:
        picture: where to cut.
        centre: (2,) middle of the square, pixels of the full image.
        side: its side.
        output: width of the network's input, pixels.
        reach: how far crops look beyond the square, as a factor on its side.
    """
    place = picture.from_image
    here, width = place[:2, :2] @ centre + place[:2, 2], side * max(place[0, 0], place[1, 1])
    factor = max(f for f in _REDUCED if f == 1 or width / f >= output)
    color = picture.read_color(factor)
    left, top, right, bottom = _patch(here, width * reach, factor, color.shape[:2])
    patch = (right - left, bottom - top)
    shrink = min(1.0, _MARGIN * output * factor / width)
    shrink = 1.0 if shrink * picture.slack >= 1 else shrink
    size = (max(1, round(shrink * patch[0])), max(1, round(shrink * patch[1])))
    rows, columns = (slice(a * factor, b * factor) for a, b in ((top, bottom), (left, right)))
    from_stored = _resize_map(
        columns.start, rows.start, size[0] / patch[0] / factor, size[1] / patch[1] / factor
    )
    part = color[top:bottom, left:right]
    return Context(
        color=part if patch == size else cv2.resize(part, size),
        masks=np.stack([_reduce_mask(mask[rows, columns], patch, size) for mask in picture.masks]),
        from_image=from_stored @ place,
        centre=centre,
        side=side,
        size=picture.size,
    )


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
    size = (output, output)
    color = cv2.warpPerspective(context.color, homography, size, flags=cv2.INTER_LINEAR)
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


def _reduce_mask(mask: np.ndarray, patch: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A full-size mask resampled in the two steps that colour takes: decoding, then shrinking."""
    if mask.shape[::-1] == patch == size:
        return mask
    if mask.shape[::-1] != patch:
        mask = cv2.resize(mask, patch, interpolation=cv2.INTER_AREA)
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


def _read_color(file: Path, factor: int, shape: tuple[int, ...]) -> np.ndarray:
    """Colour at 1/factor of its size, which must be that of masks of `shape`."""
    color = _decode(file, _REDUCED[factor])
    expected = (-(-shape[0] // factor), -(-shape[1] // factor))
    if color.shape[:2] != expected:
        detail = f"image is {_size(color)} at 1/{factor} of its size, masks are {shape[1]}x{shape[0]}"
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
