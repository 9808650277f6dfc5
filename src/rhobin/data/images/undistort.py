"""Taking the lens out of a decoded view, so that a pinhole with its intrinsics is exact."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np

from rhobin.data.images.outline import DecodedView, Outline
from rhobin.data.images.patch import Patch
from rhobin.geometry.distortion import distort_pixels, undistort_pixels

DISTORTIONS = ("ignore", "apply")
REACH = 1.15  # how much more of the image than a crop must be decoded: a lens moves its edges

Seen = TypeVar("Seen", Outline, DecodedView)


def undistort_outline(view: Seen, K: np.ndarray, coefficients: np.ndarray) -> Seen:
    """Resample the masks of a view as a pinhole would have seen them.

    Args:
        view: the view as the lens saw it.
        K: (3, 3) intrinsics of the full image.
        coefficients: (8,) of the lens, as in `rhobin.geometry.distortion`.

    Returns:
        The same with other masks; the crop is centred on what was at the centre before.
    """
    person, obj = (undistort_patch(mask, K, coefficients) for mask in view.masks)
    centre = undistort_pixels(view.centre[None], K, coefficients)[0]
    return replace(view, masks=(person, obj), centre=centre if np.isfinite(centre).all() else view.centre)


def undistort_patch(patch: Patch, K: np.ndarray, coefficients: np.ndarray) -> Patch:
    """A patch as a pinhole would have seen it, on pixels of the same size; black where it did not reach."""
    if not patch.pixels.size:
        return patch
    patch = _bordered(patch, K, coefficients)
    width, height = patch.size
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    pinhole = _to_image(np.stack([columns, rows], -1), patch)
    seen = distort_pixels(pinhole, K, coefficients)
    source = (seen @ patch.from_image[:2, :2].T + patch.from_image[:2, 2]).astype(np.float32)
    u, v = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    return replace(patch, pixels=cv2.remap(patch.pixels, u, v, cv2.INTER_LINEAR))


def _bordered(patch: Patch, K: np.ndarray, coefficients: np.ndarray) -> Patch:
    """A patch with room around it for what the lens moved inwards."""
    (width, height), to_pixels = patch.size, patch.from_image[[0, 1], [0, 1]]
    edge = np.array([(x * width, y * height) for x in (0, 0.5, 1) for y in (0, 0.5, 1)])
    seen = _to_image(edge, patch)
    moved = (undistort_pixels(seen, K, coefficients) - seen) * to_pixels
    border = int(min(np.ceil(np.nanmax(np.abs(moved), initial=0)), max(patch.size))) + 2
    pixels = cv2.copyMakeBorder(patch.pixels, *4 * (border,), cv2.BORDER_CONSTANT)
    return Patch(pixels, np.array([[1, 0, border], [0, 1, border], [0, 0, 1]]) @ patch.from_image)


def _to_image(pixels: np.ndarray, patch: Patch) -> np.ndarray:
    """Places (..., 2) in the full image of pixels of a patch."""
    return pixels @ patch.to_image[:2, :2].T + patch.to_image[:2, 2]
