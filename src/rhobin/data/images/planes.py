"""From the pixels of a crop to the image of a sample."""

from __future__ import annotations

import cv2
import numpy as np

BACKGROUNDS = ("keep", "zero")


def stack_planes(
    color: np.ndarray,
    person: np.ndarray,
    thing: np.ndarray,
    background: str,
    levels: np.ndarray | None = None,
) -> np.ndarray:
    """A sample's image: colour and both masks as planes.

    Args:
        color: (H, W, 3) BGR uint8.
        person: (H, W) uint8 mask of 0 or 255.
        thing: (H, W) uint8 mask of the object.
        background: "keep", or "zero" to blacken what neither mask covers.
        levels: (256, 3) uint8, what each level of the three channels becomes; None for the same.

    Returns:
        (5, H, W) uint8: red, green, blue, person, object.
    """
    planes = np.empty((5, *person.shape), np.uint8)
    for plane, channel in zip(planes[:3], (2, 1, 0), strict=True):
        cv2.extractChannel(color, channel, dst=plane)
        if levels is not None:
            cv2.LUT(plane, np.ascontiguousarray(levels[:, channel]), dst=plane)
    planes[3], planes[4] = person, thing
    if background == "zero":
        planes[:3] &= person | thing
    return planes
