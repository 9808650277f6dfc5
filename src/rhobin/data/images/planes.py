"""From the pixels of a crop to the image of a sample."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

BACKGROUNDS = ("keep", "zero")
PLANES = ("color", "person", "object")


def stack_planes(
    color: np.ndarray,
    person: np.ndarray,
    obj: np.ndarray,
    names: Sequence[str],
    background: str,
    levels: np.ndarray | None = None,
) -> np.ndarray:
    """A sample's image: colour and masks as planes.

    Args:
        color: (H, W, 3) BGR uint8.
        person: (H, W) uint8 mask of 0 or 255.
        obj: (H, W) uint8 mask of the object.
        names: planes to stack, of `PLANES`, colour first.
        background: "keep", or "zero" to blacken what neither mask covers.
        levels: (256, 3) uint8, what each level of the three channels becomes; None for the same.

    Returns:
        (P, H, W) uint8: red, green, blue, then the masks that are named.
    """
    planes = np.empty((2 + len(names), *person.shape), np.uint8)
    for plane, channel in zip(planes[:3], (2, 1, 0), strict=True):
        cv2.extractChannel(color, channel, dst=plane)
        if levels is not None:
            cv2.LUT(plane, np.ascontiguousarray(levels[:, channel]), dst=plane)
    masks = {"person": person, "object": obj}
    for plane, name in zip(planes[3:], names[1:], strict=True):
        plane[:] = masks[name]
    if background == "zero":
        planes[:3] &= person | obj
    return planes
