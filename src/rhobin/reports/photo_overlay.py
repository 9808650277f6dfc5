"""Predicted meshes drawn over a photograph."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from rhobin.data.photos.photo import PhotoSource
from rhobin.geometry.camera import resize_intrinsics
from rhobin.reports.overlay import NEAR, Surface, Window, draw_surfaces, extent
from rhobin.reports.sample_picture import MASK_BODY, MASK_OBJECT

LONGEST = 1024
MARGIN = 2  # pixels about the meshes
OPACITY = 0.8


def draw_photo(source: PhotoSource, surfaces: Sequence[Surface], K: np.ndarray) -> np.ndarray:
    """The whole photograph with meshes over it, and the outline of each mask or box.

    Args:
        source: the photograph with its masks.
        surfaces: meshes, frame of the photograph's camera, metres.
        K: (3, 3) intrinsics of the photograph.

    Returns:
        (h, w, 3) RGB uint8, at most `LONGEST` pixels wide and high.
    """
    drawn = draw_meshes(source.photo.pixels, surfaces, K, shown_size(source.size, LONGEST))
    scale = drawn.shape[1] / source.size[0]
    for mask, box, color in zip(source.masks, source.boxes, (MASK_BODY, MASK_OBJECT), strict=True):
        if mask.size:
            outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            shown = [np.round((line + box[:2] + 0.5) * scale - 0.5).astype(np.int32) for line in outlines]
            cv2.polylines(drawn, shown, True, color, 1, cv2.LINE_AA)
    return drawn


def draw_meshes(
    pixels: np.ndarray, surfaces: Sequence[Surface], K: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """A photograph with meshes over it.

    Args:
        pixels: (H, W, 3) BGR uint8.
        surfaces: meshes, frame of the camera, metres; may be none.
        K: (3, 3) intrinsics of the photograph.
        size: width and height of the picture.

    Returns:
        (h, w, 3) RGB uint8.
    """
    image = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), size, interpolation=cv2.INTER_AREA)
    if not surfaces:
        return image
    K_shown = resize_intrinsics(K, size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    window = _covered([surface.verts for surface in surfaces], K_shown, size)
    drawn = draw_surfaces(image, surfaces, K_shown, window, OPACITY)
    x, y = int(window.x), int(window.y)
    part = image[y : y + window.size, x : x + window.size]
    part[:] = drawn[: part.shape[0], : part.shape[1]]
    return image


def _covered(verts: Sequence[np.ndarray], K: np.ndarray, size: tuple[int, int]) -> Window:
    """The square of whole pixels that meshes can cover: rays that meet nothing cost as much as others."""
    low, high = extent(verts, K)
    if not np.isfinite([low, high]).all() or min(v[:, 2].min() for v in verts) <= NEAR:
        return Window(0, 0, max(size), max(size))
    low, high = (np.clip(corner, 0, size).round().astype(int) for corner in (low - MARGIN, high + MARGIN))
    side = max(1, int((high - low).max()))
    return Window(int(min(low[0], size[0] - 1)), int(min(low[1], size[1] - 1)), side, side)


def shown_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Width and height of a picture of an image of a size, at most `longest` pixels each way."""
    scale = min(1.0, longest / max(size))
    width, height = (max(1, round(scale * length)) for length in size)
    return width, height


def jpeg(picture: np.ndarray) -> bytes:
    """An RGB picture (h, w, 3) uint8 as a JPEG."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
