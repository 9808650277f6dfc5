"""A person's mask from a box, by colour alone: OpenCV's GrabCut."""

from __future__ import annotations

import cv2
import numpy as np

from rhobin.data.images.decode import threshold

_AROUND = 0.5  # of the box's longer side: how much of the image beside the box is known background
_LONGEST = 480  # pixels; larger parts are shrunk first
_ROUNDS = 5


def cut_person(pixels: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """What differs in colour from the surroundings of a box.

    Args:
        pixels: (H, W, 3) BGR uint8.
        box: (4,) x, y, width, height, whole pixels inside the image.

    Returns:
        (height, width) uint8 of 0 or 255 inside the box; None where nothing is found, or the box leaves no
        surroundings. The same arguments give the same mask.
    """
    x, y, width, height = box.astype(int).tolist()
    around = int(_AROUND * max(width, height)) + 2
    left, top = max(0, x - around), max(0, y - around)
    part = pixels[top : y + height + around, left : x + width + around]
    scale = min(1.0, _LONGEST / max(part.shape[:2]))
    size = [max(1, round(scale * side)) for side in part.shape[1::-1]]
    inner = np.round(scale * np.array([x - left, y - top, width, height])).astype(int)
    labels = _labels(cv2.resize(part, size, interpolation=cv2.INTER_AREA), inner.clip(min=(0, 0, 1, 1)))
    if labels is None:
        return None
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * np.uint8(255)
    whole = cv2.resize(person, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    found = threshold(whole[y - top :, x - left :][:height, :width].copy())
    return found if found.any() else None


def _labels(image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """GrabCut's label of each pixel; None where the image shows nothing beside the box."""
    if box[2] * box[3] >= image.shape[0] * image.shape[1]:
        return None
    labels = np.zeros(image.shape[:2], np.uint8)
    behind, person = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(image, labels, box.tolist(), behind, person, _ROUNDS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # too few pixels to tell colours apart
        return None
    return labels
