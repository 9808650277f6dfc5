"""Where to cut a view: boxes of masks and the square crops made from them."""

from __future__ import annotations

import math

import cv2
import numpy as np

MASK_THRESHOLD = 127  # JPEG masks ring around edges; lower thresholds inflate boxes to the 8x8 grid
CROPS = ("union", "window")
WINDOW_PX = 1200  # CHORE (train_data.py), for images 2048 wide
WINDOW_IMAGE_WIDTH = 2048

Square = tuple[np.ndarray, float]


def mask_box(mask: np.ndarray) -> np.ndarray:
    """Smallest box around the non-zero pixels of a uint8 mask: (4,) x, y, width, height."""
    return np.array(cv2.boundingRect(mask), np.float64)


def union_square(box: np.ndarray, expand: float) -> Square:
    """Smallest square containing a box of pixels, about its centre, enlarged.

    Args:
        box: (4,) x, y, width, height; x and y index the first pixel.
        expand: factor on the side, 1.3 in CONTHO.

    Returns:
        Centre (2,) in pixel coordinates (the first pixel's centre is 0) and side in pixels.
    """
    return box[:2] + (box[2:] - 1) / 2, float(max(box[2], box[3]) * expand)


def window_square(box: np.ndarray, image_width: int) -> Square:
    """CHORE's fixed window of 1200 pixels about the box's floored centre, scaled with the image."""
    scale = image_width / WINDOW_IMAGE_WIDTH
    centre = [math.floor(middle / scale) * scale - 0.5 for middle in (box[:2] + (box[2:] - 1) / 2)]
    return np.array(centre), WINDOW_PX * scale


def crop_square(box: np.ndarray, kind: str, expand: float, image_width: int) -> Square:
    """The square to cut for a mask box: `union` (box x expand) or `window` (CHORE's fixed window)."""
    return union_square(box, expand) if kind == "union" else window_square(box, image_width)
