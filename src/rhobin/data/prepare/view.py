"""One view: from its three files to what is stored."""

from __future__ import annotations

import zlib

import cv2
import numpy as np

from rhobin.behave.release import ViewFiles
from rhobin.data.images.crops import EMPTY_MASK, box_square, missing_mask, union_box
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import read_source
from rhobin.data.prepare.jpeg import encode_units
from rhobin.data.prepare.recipe import STORED, Recipe

LEVEL = 6


def prepare_view(files: ViewFiles, recipe: Recipe) -> tuple[np.ndarray, bytes, bytes]:
    """Read a view and encode what is stored of it.

    Args:
        files: colour, person mask, object mask.
        recipe: how views are stored.

    Returns:
        Its row () of `STORED`, without offsets; the JPEG; the masks. Both are empty for a view that cannot
        be used, whose row says why.
    """
    row = np.zeros((), STORED)
    try:
        source = read_source(files)
        color = source.read_color(1)
    except BadSampleError as error:
        row["reason"], row["bad_file"] = error.reason, files.index(error.file)
        return row, b"", b""
    kind = "frame" if np.isinf(recipe.margin) else recipe.around
    missing = missing_mask(source.boxes, kind, partly=True)
    if missing is not None:
        row["reason"], row["bad_file"] = EMPTY_MASK[missing], 1 + missing if files[1 + missing] else 0
        return row, b"", b""
    box = surrounded(source.boxes, recipe.around)
    patch = patch_of(box, recipe.margin, source.size)
    stored = stored_size(patch, recipe.scale(box, source.size))
    jpeg = encode_units(_shrunk(color, patch, stored), recipe.quality)
    masks = pack_masks(source.masks)
    row["size"], row["boxes"], row["patch"], row["stored"] = source.size, source.boxes, patch, stored
    row["color"][1:], row["masks"][1:] = (len(jpeg), zlib.crc32(jpeg)), (len(masks), zlib.crc32(masks))
    return row, jpeg, masks


def surrounded(boxes: np.ndarray, around: str) -> np.ndarray:
    """The box (4,) that a patch surrounds, given those (2, 4) of person and object."""
    return {"person": boxes[0], "object": boxes[1]}.get(around, union_box(boxes))


def patch_of(box: np.ndarray, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is stored of a full image of `size`, whole pixels."""
    if np.isinf(margin):
        return 0, 0, *size
    centre, side = box_square(box, margin)
    low = np.clip(np.floor(centre + 0.5 - side / 2), 0, None).astype(int)
    high = np.minimum(np.ceil(centre + 0.5 + side / 2), size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def stored_size(patch: tuple[int, int, int, int], scale: float) -> tuple[int, int]:
    """Width and height at which a patch is stored with `scale` pixels for a pixel of the image."""
    return max(1, round(scale * (patch[2] - patch[0]))), max(1, round(scale * (patch[3] - patch[1])))


def place_of(patch: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Map (3, 3) from pixels of the full image to stored pixels."""
    sx, sy = stored[0] / (patch[2] - patch[0]), stored[1] / (patch[3] - patch[1])
    return np.array([[sx, 0, (0.5 - patch[0]) * sx - 0.5], [0, sy, (0.5 - patch[1]) * sy - 0.5], [0, 0, 1]])


def pack_masks(masks: tuple[np.ndarray, np.ndarray]) -> bytes:
    """What lies inside the boxes of two masks as one bit a pixel, deflated."""
    return zlib.compress(np.concatenate([np.packbits(mask > 0) for mask in masks]).tobytes(), LEVEL)


def unpack_masks(content: bytes, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies inside their boxes of two masks, uint8 of 0 or 255, from `pack_masks`.

    Raises:
        ValueError: the content is not what was packed.
    """
    shapes = [(int(h), int(w)) for _, _, w, h in boxes]
    lengths = [(h * w + 7) // 8 for h, w in shapes]
    unpacking = zlib.decompressobj()
    try:
        bits = np.frombuffer(unpacking.decompress(content, sum(lengths) + 1), np.uint8)
    except zlib.error as error:
        raise ValueError(f"not packed masks ({error})") from error
    if not unpacking.eof:
        raise ValueError(f"not packed masks (no end after {len(bits)} bytes)")
    if len(bits) != sum(lengths):
        raise ValueError(f"holds {len(bits)} bytes of masks, expected {sum(lengths)}")
    person, obj = (
        np.negative(np.unpackbits(part, count=h * w)).reshape(h, w)
        for part, (h, w) in zip(np.split(bits, lengths[:1]), shapes, strict=True)
    )
    return person, obj


def _shrunk(image: np.ndarray, patch: tuple[int, int, int, int], stored: tuple[int, int]) -> np.ndarray:
    left, top, right, bottom = patch
    part = image[top:bottom, left:right]
    return part if part.shape[1::-1] == stored else cv2.resize(part, stored, interpolation=cv2.INTER_AREA)
