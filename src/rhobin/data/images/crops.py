"""Where to cut a view: boxes of masks and the square crops made from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

MASK_THRESHOLD = 127  # JPEG masks ring around edges; lower thresholds inflate boxes to the 8x8 grid
EMPTY_MASK = ("empty_person_mask", "empty_object_mask")  # of rhobin.behave.skips.REASONS
_HIGH_BITS = np.uint64(0x8080808080808080)
CROPS = ("union", "window", "object", "person", "frame")
EXPAND = {"union": 1.3, "object": 1.5, "person": 1.25}  # CONTHO, GDR-Net, HybrIK
WINDOW_PX = 1200  # CHORE (train_data.py), for images 2048 wide
WINDOW_IMAGE_WIDTH = 2048

Square = tuple[np.ndarray, float]


def mask_box(mask: np.ndarray) -> np.ndarray:
    """Smallest box around the pixels of a uint8 mask above `MASK_THRESHOLD`: those with the highest bit.

    Returns:
        (4,) x, y, width, height, all 0 for none.
    """
    wide = mask.view(np.uint64) if mask.shape[1] % 8 == 0 and mask.flags.c_contiguous else mask
    high = _HIGH_BITS.astype(wide.dtype)
    rows = np.flatnonzero(np.bitwise_or.reduce(wide, axis=1) & high)
    if not len(rows):
        return np.zeros(4)
    top, bottom = rows[0], rows[-1] + 1
    columns = np.flatnonzero((np.bitwise_or.reduce(wide[top:bottom], axis=0) & high).view(np.uint8))
    left, right = columns[0], columns[-1] + 1
    return np.array([left, top, right - left, bottom - top], np.float64)


def missing_mask(
    boxes: np.ndarray, kind: str, partly: bool, shown: Sequence[bool] = (True, True)
) -> int | None:
    """Which mask lacks for a crop: 0 the person's, 1 the object's; None when it can be cut.

    Args:
        boxes: (2, 4) boxes of both masks, all 0 for a mask without a pixel.
        kind: one of `CROPS`.
        partly: be content with one mask where the crop surrounds both, and with none for the whole frame.
        shown: whether the view shows a person, and an object, at all: a crop about both does without the
            mask of what is not shown.
    """
    visible = [bool(box[2:].all()) for box in boxes]
    surrounds = {"object": (1,), "person": (0,), "frame": (0,)}.get(kind, (0, 1))
    needed = surrounds if kind in ("object", "person") else [part for part in surrounds if shown[part]]
    missing = [part for part in needed if not visible[part]]
    enough = kind == "frame" or (kind in ("union", "window") and any(visible))
    return missing[0] if missing and not (partly and enough) else None


def union_box(boxes: np.ndarray) -> np.ndarray:
    """Smallest box (4,) around boxes (N, 4) of x, y, width, height, except those without a pixel."""
    boxes = boxes[boxes[:, 2:].all(axis=1)]
    if not len(boxes):
        return np.zeros(4)
    start = boxes[:, :2].min(axis=0)
    return np.concatenate([start, (boxes[:, :2] + boxes[:, 2:]).max(axis=0) - start])


def crop_box(boxes: np.ndarray, kind: str, size: tuple[int, int]) -> np.ndarray:
    """Box (4,) that a crop is cut about: arguments as in `crop_square`."""
    if kind == "frame":
        return np.array([0.0, 0.0, *size])
    return {"person": boxes[0], "object": boxes[1]}.get(kind, union_box(boxes))


def box_square(box: np.ndarray, expand: float) -> Square:
    """Smallest square containing a box of pixels, about its centre, enlarged.

    Args:
        box: (4,) x, y, width, height; x and y index the first pixel.
        expand: factor on the side.

    Returns:
        Centre (2,) in pixel coordinates (the first pixel's centre is 0) and side in pixels.
    """
    return box[:2] + (box[2:] - 1) / 2, float(max(box[2], box[3]) * expand)


def window_square(box: np.ndarray, image_width: int) -> Square:
    """CHORE's fixed window of 1200 pixels about the box's floored centre, scaled with the image.

    CHORE's centre is half the sum of the first pixel and the one after the last, rounded down.
    """
    scale = image_width / WINDOW_IMAGE_WIDTH
    centre = [math.floor(middle / scale) * scale - 0.5 for middle in (box[:2] + box[2:] / 2)]
    return np.array(centre), WINDOW_PX * scale


def crop_square(boxes: np.ndarray, kind: str, expand: float | None, size: tuple[int, int]) -> Square:
    """The square that a track cuts from a view.

    Args:
        boxes: (2, 4) boxes of the person mask and the object mask: x, y, width, height, pixels.
        kind: "union" of both (KHOR); CHORE's fixed "window" about it; "object" (G2DR: never wider than the
            image, as in GDR-Net); "person" (HybrIK); "frame", the whole image in a square (BEV).
        expand: factor on the side of the box; None for the method's own, `EXPAND`. A window and the frame
            have none.
        size: width and height of the image, pixels.

    Returns:
        Centre (2,) in pixel coordinates and side in pixels; see `box_square`.
    """
    return square_about(crop_box(boxes, kind, size), kind, expand, size)


def square_about(box: np.ndarray, kind: str, expand: float | None, size: tuple[int, int]) -> Square:
    """The square about the box (4,) that a crop is cut about; the other arguments as in `crop_square`."""
    if kind == "frame":
        return box_square(box, 1.0)
    if kind == "window":
        return window_square(box, size[0])
    centre, side = box_square(box, EXPAND[kind] if expand is None else expand)
    return centre, min(side, float(max(size))) if kind == "object" else side
