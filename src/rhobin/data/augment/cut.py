"""Crops moved until they cut off what they show on one side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.data.images.framing import overlap

ENOUGH_IMAGE = 0.85  # of a crop; where less of it lies inside the image, another side is cut


@dataclass(frozen=True)
class Cut:
    """What is cut off.

    Attributes:
        edge: of the crop: 0 left, 1 top, 2 right, 3 bottom.
        share: of the extent of all points together that comes to lie outside.
        roll: of the crop, radians.
        min_visible: share of each set of points that stays inside.
        furthest: how far the crop may move, pixels.
        size: width and height of the image.
        to_image: (3, 3) map to the image from the view that the crop is square in; None for the image itself.
    """

    edge: int
    share: float
    roll: float
    min_visible: float
    furthest: float
    size: tuple[int, int]
    to_image: np.ndarray | None = None


def cut_off(centre: np.ndarray, side: float, points: Sequence[np.ndarray], cut: Cut) -> np.ndarray:
    """Centre (2,) of a crop after it moved to cut points off.

    A cut that would show much of what lies beyond the image's border is made on the side where the least of
    the crop does.

    Args:
        centre: (2,) of the crop before, pixels of the view that it is square in.
        side: width of the crop, in the same pixels.
        points: sets of positions (N, 2) in the same pixels, such as a mask's.
        cut: what is cut off.
    """
    choices = []
    for turn in (0, 2, 1, 3):
        toward = _direction((cut.edge + turn) % 4, cut.roll)
        move = centre @ toward + side / 2 - _cut_line(points, toward, cut.share, cut.min_visible)
        moved = centre - np.clip(move, 0, cut.furthest) * toward
        choices.append((_inside(moved, side, cut), moved))
        if choices[-1][0] > ENOUGH_IMAGE:
            return moved
    return max(choices, key=lambda choice: choice[0])[1]


def _direction(edge: int, roll: float) -> np.ndarray:
    """Which way in the image an edge of the crop lies before the crop is rolled."""
    c, s = np.cos(roll), np.sin(roll)
    x, y = ((-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0))[edge]
    return np.array([c * x + s * y, c * y - s * x])


def _cut_line(points: Sequence[np.ndarray], toward: np.ndarray, share: float, min_visible: float) -> float:
    """Where, along a direction, to cut off a share of the extent of masks and spare enough of each."""
    along = [part @ toward for part in points]
    low, high = min(part.min() for part in along), max(part.max() for part in along)
    return max(high - share * (high - low), *(float(np.quantile(part, min_visible)) for part in along))


def _inside(centre: np.ndarray, side: float, cut: Cut) -> float:
    """Share of an upright square that lies inside the image."""
    if cut.to_image is not None:
        square = centre + side / 2 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        part = overlap(square, cut.to_image, cut.size).astype(np.float32)
        return cv2.contourArea(part) / side**2 if len(part) else 0.0
    low, high = np.maximum(centre - side / 2, -0.5), np.minimum(centre + side / 2, np.array(cut.size) - 0.5)
    return float(np.maximum(high - low, 0).prod()) / side**2
