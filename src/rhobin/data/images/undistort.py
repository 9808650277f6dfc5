"""Taking the lens out of a decoded view, so that a pinhole with its intrinsics is exact."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from rhobin.data.images.context import Context, aligned
from rhobin.data.images.crops import MASK_THRESHOLD
from rhobin.geometry.distortion import distort_pixels, undistort_pixels

DISTORTIONS = ("ignore", "apply")
REACH = 1.15  # how much more of the image than a crop must be decoded: a lens moves its edges


def undistort_context(context: Context, K: np.ndarray, coefficients: np.ndarray) -> Context:
    """Resample a decoded view as a pinhole would have seen it.

    Args:
        context: the view as the lens saw it.
        K: (3, 3) intrinsics of the full image.
        coefficients: (8,) of the lens, as in `rhobin.geometry.distortion`.

    Returns:
        A view of the same patch; its crop is centred on what was at the centre before. Black where the
        patch did not reach.
    """
    context = aligned(context)
    height, width = context.masks.shape[1:]
    to_image = np.linalg.inv(context.from_image)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    pinhole = np.stack([columns, rows], -1) @ to_image[:2, :2].T + to_image[:2, 2]
    seen = distort_pixels(pinhole, K, coefficients)
    source = (seen @ context.from_image[:2, :2].T + context.from_image[:2, 2]).astype(np.float32)
    u, v = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    masks = [cv2.remap(mask, u, v, cv2.INTER_LINEAR) for mask in context.masks]
    centre = undistort_pixels(context.centre[None], K, coefficients)[0]
    return replace(
        context,
        color=cv2.remap(context.color, u, v, cv2.INTER_LINEAR),
        masks=np.where(np.stack(masks) > MASK_THRESHOLD, np.uint8(255), np.uint8(0)),
        centre=centre if np.isfinite(centre).all() else context.centre,
    )
