"""Image files and frames of videos, decoded or named with what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.pixels import too_large
from rhobin.behave.video import VideoError, read_frame, split_frame
from rhobin.data.images.crops import MASK_THRESHOLD, mask_box
from rhobin.data.images.libjpeg import JPEG, decode_image
from rhobin.data.images.rows import first_rows, whole_units

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
FACTORS = tuple(_REDUCED)
_DRAWN = 0.1  # of the pixels above 0: so many have the largest value where somebody drew it
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


def read_mask(
    file: Path, known: tuple[np.ndarray, tuple[int, int]] | None = None
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """What lies inside a mask's box, uint8 of 0 or 255 at full size; the box; width and height of the image.

    A mask without a pixel has a box of zeros. One of 0 and 1 means the same as one of 0 and 255.

    Args:
        file: of the mask.
        known: box and image size that were found before; nothing below the box is decoded then.

    Raises:
        BadSampleError: the file cannot be used.
    """
    mask = None
    if known is not None and known[0].any():
        box, size = known
        mask, rows = _decode(file, cv2.IMREAD_GRAYSCALE, size, whole_units(box[1] + box[3]))
    if mask is None or mask.shape != (rows, size[0]):
        mask, _ = _decode(file, cv2.IMREAD_GRAYSCALE)
        box, size = mask_box(mask), (mask.shape[1], mask.shape[0])
        if not box.any() and _of_zeros_and_ones(file, mask):
            box = mask_box(np.negative(mask))
    return inside_box(mask, box), box, size


def inside_box(mask: np.ndarray, box: np.ndarray) -> np.ndarray:
    """What lies inside the box (4,) of a mask (H, W) of 0 and 255, or of 0 and 1; a copy of 0 or 255."""
    x, y, width, height = box.astype(int).tolist()
    part = mask[y : y + height, x : x + width].copy()
    if not part.size:
        return part
    return threshold(np.negative(part) if part.max() == 1 else part)


def _of_zeros_and_ones(file: Path, mask: np.ndarray) -> bool:
    """Whether a mask without a pixel above the threshold is drawn in 0 and 1.

    Raises:
        BadSampleError: it is drawn in other values. A few dim pixels are a trace of JPEG's, and no drawing.
    """
    largest = int(mask.max())
    if not largest or mask.min():
        return False
    if largest > 1 and np.count_nonzero(mask == largest) >= _DRAWN * np.count_nonzero(mask):
        detail = f"the largest value of the mask is {largest}; expected 0 and 255, or 0 and 1"
        raise BadSampleError(file, "faint_mask", detail)
    return largest == 1


def read_color(file: Path, factor: int, size: tuple[int, int], rows: int | None = None) -> np.ndarray:
    """Colour (h, w, 3) BGR uint8 at 1/factor of its size, which must be that of masks of `size`.

    Args:
        file: of the image.
        factor: 1, 2, 4 or 8.
        size: width and height of the masks.
        rows: of the image that are needed, a multiple of `rows.UNIT`; what lies below may be missing.

    Raises:
        BadSampleError: the file cannot be used.
    """
    color, height = _decode(file, _REDUCED[factor], size, rows)
    expected = (-(-height // factor), -(-size[0] // factor))
    if color.shape[:2] != expected:
        found, wanted = size_text(color.shape[1::-1]), size_text(size)
        raise BadSampleError(
            file, "image_size", f"image is {found} at 1/{factor} of its size, masks are {wanted}"
        )
    return color


def decode_color(file: Path, content: bytes, factor: int) -> np.ndarray:
    """Decode colour (h, w, 3) BGR uint8 at 1/factor of its size.

    Args:
        file: named in errors.
        content: of that file.
        factor: 1, 2, 4 or 8.

    Raises:
        BadSampleError: the content is no complete image.
    """
    require_complete(file, content)
    return _decode_bytes(file, content, _REDUCED[factor])


def _decode(
    file: Path, flag: int, size: tuple[int, int] = (0, 0), rows: int | None = None
) -> tuple[np.ndarray, int]:
    """An image, and how many rows of `size` it shows: `rows` where the rest could be left out, or all."""
    frame = split_frame(file)
    if frame is not None:
        return _decode_frame(file, *frame, flag), size[1]
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadSampleError(file, "unreadable_image", f"cannot be read: {error.strerror}") from error
    require_complete(file, content)
    top = first_rows(content, rows, size) if rows is not None else None
    if rows is None or top is None:
        return _decode_bytes(file, content, flag), size[1]
    return _decode_bytes(file, top, flag), rows


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


def require_complete(file: Path, content: bytes) -> None:
    """Refuse an empty file, a JPEG without its end, and an image of more pixels than memory should hold.

    Raises:
        BadSampleError: naming the file.
    """
    if not content:
        raise BadSampleError(file, "empty_file", "zero bytes")
    if content.startswith(JPEG) and not _jpeg_ends(content):
        raise BadSampleError(file, "unreadable_image", f"JPEG is truncated after {len(content)} bytes")
    if large := too_large(content):
        raise BadSampleError(file, "unreadable_image", large)


def _decode_bytes(file: Path, content: bytes, flag: int) -> np.ndarray:
    image, complaint = decode_image(content, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise BadSampleError(file, "unreadable_image", "not an image that OpenCV can decode")
    if complaint:
        raise BadSampleError(file, "unreadable_image", f"damaged; libjpeg says: {complaint}")
    return image


def _jpeg_ends(content: bytes) -> bool:
    """Whether the end marker comes after the last scan began."""
    if content.rfind(b"\xff\xd9", -_TAIL) > content.rfind(b"\xff\xda", -_TAIL):
        return True
    return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")


def threshold(mask: np.ndarray) -> np.ndarray:
    """Make a mask 0 or 255, in place."""
    return cv2.threshold(mask, MASK_THRESHOLD, 255, cv2.THRESH_BINARY, dst=mask)[1]


def size_text(size: tuple[int, int]) -> str:
    """Width and height as people write them."""
    return f"{size[0]}x{size[1]}"
