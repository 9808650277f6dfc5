"""A photograph in a file, decoded as people see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rhobin.data.images.crops import MASK_THRESHOLD, mask_box
from rhobin.data.images.decode import BadSampleError, decode_color, inside_box, require_complete, size_text
from rhobin.data.images.libjpeg import decode_image
from rhobin.data.images.patch import Patch
from rhobin.data.images.plan import PatchPlan
from rhobin.data.images.source import planned_patch
from rhobin.data.photos.exif import Exif, read_exif

SMALLEST = 16
"""Pixels across below which nothing can be told of a photograph."""
_UPRIGHT: int = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH  # obeys EXIF's orientation, drops transparency


class PhotoError(ValueError):
    """A photograph, or what was said of it, that cannot be used: file, found, expected, next step."""


class EmptyMaskError(PhotoError):
    """A mask without a pixel."""


@dataclass(frozen=True)
class Photo:
    """A photograph.

    Attributes:
        file: where it was read from.
        content: of that file.
        pixels: (H, W, 3) BGR uint8, upright.
        exif: tags of the file.
    """

    file: Path
    content: bytes
    pixels: np.ndarray
    exif: Exif

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def reduced(self, factor: int) -> np.ndarray:
        """Colour (h, w, 3) BGR uint8 at 1/factor of its size; of a plain JPEG as data sets decode it."""
        if factor > 1 and self.content.startswith(b"\xff\xd8") and self.exif.orientation == 1:
            return decode_color(self.file, self.content, factor)
        size = -(-self.size[0] // factor), -(-self.size[1] // factor)
        return self.pixels if factor == 1 else cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class PhotoSource:
    """A photograph with masks; a `ViewSource`.

    Attributes:
        photo: its colour.
        masks: what lies inside the boxes of the masks of person and object, uint8 of 0 or 255.
        boxes: (2, 4) their boxes: x, y, width, height, pixels; 0 for an empty mask.
    """

    photo: Photo
    masks: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photograph."""
        return self.photo.size

    def color_patch(self, plan: PatchPlan, shown: np.ndarray | None = None) -> Patch:
        """Colour as planned."""
        return planned_patch(self.photo.reduced(plan.factor), plan)


def read_photo(file: Path) -> Photo:
    """Read a photograph: grey becomes colour, 16 bits become 8, transparency is ignored.

    Raises:
        PhotoError: it cannot be read, is tiny, or holds other numbers than 8 or 16 bits.
    """
    content, pixels = _decode(file, _UPRIGHT)
    if pixels.dtype == np.uint16:
        pixels = np.round(pixels / 257).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise PhotoError(
            f"{file}: holds {pixels.dtype} numbers; expected 8 or 16 bits a channel. Save it as a PNG or JPEG"
        )
    photo = Photo(file, content, pixels, read_exif(content))
    if min(photo.size) < SMALLEST:
        raise PhotoError(
            f"{file}: the image is {size_text(photo.size)}; expected at least {SMALLEST} pixels each way. "
            "Give the photograph itself, no thumbnail"
        )
    return photo


def read_photo_mask(file: Path, photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """What lies inside a mask's box, uint8 of 0 or 255, and the box (4,).

    Raises:
        PhotoError: it cannot be read, is not of the photograph's size, or shows nothing.
    """
    return checked_mask(_decode(file, cv2.IMREAD_GRAYSCALE)[1], str(file), photo)


def checked_mask(mask: np.ndarray, name: str, photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """The same of a mask (H, W), bool or uint8, that is already there; errors as `read_photo_mask`."""
    mask = mask.astype(np.uint8) * np.uint8(255) if mask.dtype == bool else mask
    if (mask.shape[1], mask.shape[0]) != photo.size:
        found, wanted = size_text(mask.shape[1::-1]), size_text(photo.size)
        upright = " as shown upright" if photo.exif.orientation > 4 else ""
        raise PhotoError(
            f"{name}: mask is {found}; expected {wanted}, the size of {photo.file}{upright}. Make the mask "
            "of this very image"
        )
    box = mask_box(mask)
    if not box.any():
        raise EmptyMaskError(
            f"{name}: mask is empty: its brightest pixel is {mask.max()}; expected pixels above "
            f"{MASK_THRESHOLD} of 255 where the person or object is. Draw them white"
        )
    return inside_box(mask, box), box


def _decode(file: Path, flag: int) -> tuple[bytes, np.ndarray]:
    """Content of an image file, and its pixels."""
    if not file.is_file():
        found = "a folder" if file.is_dir() else "no such file"
        raise PhotoError(f"{file}: {found}; expected an image file. Check the path")
    try:
        content = file.read_bytes()
        require_complete(file, content)
    except (OSError, BadSampleError) as error:
        reason = error.detail if isinstance(error, BadSampleError) else f"cannot be read: {error.strerror}"
        raise PhotoError(f"{file}: {reason}; expected a whole image file. Copy or save it again") from error
    pixels, complaint = decode_image(content, flag)
    if complaint:
        raise PhotoError(
            f"{file}: damaged; libjpeg says: {complaint}; expected a whole image file. Copy or save it again"
        )
    if pixels is None:
        raise PhotoError(
            f"{file}: not an image that OpenCV can decode; expected JPEG, PNG, TIFF, WebP or BMP. Convert it"
        )
    return content, pixels
