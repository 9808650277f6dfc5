"""Rooms without the people and objects in them, from several views of one static camera."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import warp_color
from rhobin.geometry.camera import crop_matrix

_ENOUGH_KNOWN = 0.99
_TRIES = 16
_DILATION = np.ones((5, 5), np.uint8)


def freest_square(rng: np.random.Generator, view: DecodedView) -> tuple[np.ndarray, float]:
    """Of some random squares of a view, the one with the fewest pixels of person and object.

    Args:
        rng: random numbers.
        view: the view; squares lie in its patch as far as they fit, about as large as its crop.

    Returns:
        Centre (2,) and side, pixels of the full image.
    """
    covered = cv2.bitwise_or(*view.masks_on_color())
    height, width = covered.shape
    total = cv2.integral(covered)
    scale = view.color.from_image[0, 0]
    side = max(2, round(min(view.side * scale * rng.uniform(0.7, 1.1), height, width)))
    left, top = (rng.integers(0, length - side + 1, _TRIES) for length in (width, height))
    right, bottom = left + side, top + side
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    best = int(inside.argmin())
    half = side / 2 - 0.5
    middle = np.array([left[best] + half, top[best] + half, 1.0])
    return (view.color.to_image @ middle)[:2], side / scale


def empty_room(
    first: DecodedView, others: Iterable[DecodedView], square: tuple[np.ndarray, float], size: int
) -> np.ndarray:
    """A part of the room of a view, without the people and objects in it.

    What they hide is taken from the other views of the same camera, as far as these show it, with the
    difference in light at the seam carried inwards; the rest is filled from its surroundings.

    Args:
        first: the view.
        others: views by the same static camera; read until little is left to fill.
        square: centre (2,) and side of the part, pixels of the full image.
        size: width and height of the result, pixels.

    Returns:
        (size, size, 3) BGR uint8.
    """
    from_image = crop_matrix(*square, size)
    room, known = _free_of_people(first, from_image, size)
    part = _around(~known)
    for view in others:
        if view.size == first.size:  # else it is no view of the same camera
            seen, free = (values[part] for values in _free_of_people(view, from_image, size))
            shared, wanted = free & known[part], free & ~known[part]
            light = fill_holes(room[part] - seen, shared)
            room[part] += np.where(wanted[..., None], seen + light, 0)
            known[part] |= wanted
        if known[part].mean() > _ENOUGH_KNOWN:
            break
    room[part] = fill_holes(room[part], known[part])
    return np.clip(room, 0, 255).round().astype(np.uint8)


def _around(hole: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a hole (H, W) with a border of an eighth of the image, to be filled from."""
    x, y, width, height = cv2.boundingRect(hole.astype(np.uint8))
    border = len(hole) // 8
    return slice(max(y - border, 0), y + height + border), slice(max(x - border, 0), x + width + border)


def _free_of_people(view: DecodedView, from_image: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour of a view where it shows neither person nor object, else 0: (S, S, 3) float, (S, S) bool."""
    covered = cv2.dilate(cv2.bitwise_or(*view.masks_on_color()), _DILATION)
    color, clear = (
        warp_color(replace(view.color, pixels=pixels), from_image, (size, size))
        for pixels in (view.color.pixels, 255 - covered)
    )
    free = clear > 254
    return np.where(free[..., None], color, 0).astype(np.float32), free


def fill_holes(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill unknown pixels smoothly from known ones around them, coarse to fine.

    Args:
        values: (H, W, 3) float32.
        known: (H, W) bool.

    Returns:
        A new array; zero when nothing is known.
    """
    height, width = known.shape
    if known.all() or not known.any():
        return np.where(known[..., None], values, np.float32(0))
    half = ((width + 1) // 2, (height + 1) // 2)
    weight = known.astype(np.float32)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA)
    coarse = fill_holes(small / np.maximum(share, 1e-6)[..., None], share > 0)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None], values, smooth)
