"""Which of several masks in a photograph are the person and the object that are meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the upright photograph."""

MIN_SCORE = 0.5  # assumed: what a detector is less sure of counts as not found


@dataclass(frozen=True)
class FoundMask:
    """A mask of one thing in a photograph.

    Attributes:
        pixels: (H, W) uint8 of 0 or 255, of the photograph's size.
        name: what it is called.
        how: where it comes from, in words.
    """

    pixels: np.ndarray
    name: str
    how: str


def overlaps(boxes: np.ndarray, box: Box) -> np.ndarray:
    """Intersection over union (N,) of boxes (N, 4) with another one; x, y, width, height each."""
    told = np.asarray(box, np.float64)
    low, high = np.maximum(boxes[:, :2], told[:2]), np.minimum(ends(boxes), told[:2] + told[2:])
    shared = (high - low).clip(min=0).prod(axis=1)
    return shared / (boxes[:, 2:].prod(axis=1) + told[2:].prod() - shared)


def ends(boxes: np.ndarray) -> np.ndarray:
    """Lower right corners (N, 2) of boxes (N, 4)."""
    return boxes[:, :2] + boxes[:, 2:]


def in_box(boxes: np.ndarray, box: Box) -> int | None:
    """Which of boxes (N, 4) overlaps most with another one; None where none does."""
    shared = overlaps(boxes, box) if len(boxes) else np.zeros(1)
    return int(shared.argmax()) if shared.max() > 0 else None


def boxes_text(boxes: Iterable[Iterable[float]]) -> str:
    """Boxes as they are written after --box, with words between."""
    return " and ".join(",".join(f"{value:.0f}" for value in box) for box in boxes)
