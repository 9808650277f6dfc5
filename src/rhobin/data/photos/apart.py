"""Masks that may show two of what they should show one of."""

from __future__ import annotations

import cv2
import numpy as np

LARGE = 0.25
"""Share of the largest piece's area from which a further piece may be another person or object."""
GAP = 0.25
"""Distance between their boxes from which it lies apart, in longer sides of the larger box."""


def lies_apart(mask: np.ndarray) -> bool:
    """Whether a mask (h, w) uint8 of 0 or 255 has two large pieces far from each other."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 3:
        return False
    pieces = stats[1:][np.argsort(-stats[1:, cv2.CC_STAT_AREA])].astype(float)
    first, *others = pieces[pieces[:, cv2.CC_STAT_AREA] >= LARGE * pieces[0, cv2.CC_STAT_AREA]]
    return any(_gap(first[:4], other[:4]) > GAP * max(*first[2:4], *other[2:4]) for other in others)


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    """Distance between two boxes (4,) of x, y, width, height; 0 where they meet."""
    between = np.maximum(one[:2] - other[:2] - other[2:], other[:2] - one[:2] - one[2:])
    return float(np.hypot(*np.maximum(between, 0)))
