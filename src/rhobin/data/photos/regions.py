"""Regions that files of annotations draw in photographs, as pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Size = tuple[int, int]
"""Width and height, pixels."""


class RegionError(ValueError):
    """Something in a file of masks that cannot be used: key, found, expected, next step; not yet the file."""


@dataclass(frozen=True)
class Region:
    """A region of a photograph.

    Attributes:
        names: what it is called, lower case.
        where: it stands in its file, in words.
        draw: its pixels as (H, W) bool, of a photograph's width and height; raises `RegionError`.
        score: of a detector that found it; 1 for a person's work.
        crowd: whether it may stand for several of its kind (COCO's `iscrowd`).
    """

    names: tuple[str, ...]
    where: str
    draw: Callable[[Size], np.ndarray]
    score: float = 1.0
    crowd: bool = False


def fill_polygon(points: np.ndarray, size: Size) -> np.ndarray:
    """Pixels whose centre lies inside a polygon, (H, W) bool; where it crosses itself, by the even-odd rule.

    Args:
        points: (P, 2) corners, pixels; the first pixel reaches from (0, 0) to (1, 1), as COCO and VIA count.
        size: width and height.
    """
    turns = np.zeros((size[1], size[0] + 1), bool)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        top, bottom = np.clip(np.ceil(np.sort([start[1], end[1]]) - 0.5), 0, size[1]).astype(int)
        rows = np.arange(top, bottom)
        if len(rows):
            x = start[0] + (rows + 0.5 - start[1]) * (end[0] - start[0]) / (end[1] - start[1])
            turns[rows, np.clip(np.ceil(x - 0.5), 0, size[0]).astype(int)] ^= True
    return np.logical_xor.accumulate(turns[:, :-1], axis=1)


def fill_ellipse(centre: np.ndarray, radii: np.ndarray, angle: float, size: Size) -> np.ndarray:
    """Pixels whose centre lies inside an ellipse, (H, W) bool.

    Args:
        centre: (2,) pixels, as corners of `fill_polygon`.
        radii: (2,) pixels.
        angle: from the x axis to the first radius, towards y, radians.
        size: width and height.
    """
    x, y = np.arange(size[0]) + 0.5 - centre[0], np.arange(size[1])[:, None] + 0.5 - centre[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1


def numbers(value: Any, where: str) -> np.ndarray:
    """A list of finite numbers (N,).

    Raises:
        RegionError: it is something else.
    """
    plain = isinstance(value, list) and all(type(entry) in (int, float) for entry in value)
    try:
        array = np.array(value, np.float64) if plain else np.array([np.nan])
    except OverflowError:
        array = np.array([np.nan])
    if not np.isfinite(array).all():
        raise RegionError(f"{where}: found {short(value)}; expected a list of numbers. Export the file again")
    return array


def short(value: Any) -> str:
    """A value as errors show it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def listing(names: Sequence[str], most: int = 5) -> str:
    """The first of some names, and how many there are besides."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "none"
