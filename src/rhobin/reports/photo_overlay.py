"""A predicted person drawn over the photograph."""

from __future__ import annotations

import cv2
import numpy as np

from rhobin.data.photos.photo import PhotoSource
from rhobin.geometry.camera import resize_intrinsics
from rhobin.reports.overlay import Surface, Window, draw_surfaces
from rhobin.reports.palette import PRED_BODY
from rhobin.reports.sample_picture import MASK_BODY

LONGEST = 1024
OPACITY = 0.8


def draw_photo(source: PhotoSource, verts: np.ndarray, faces: np.ndarray, K: np.ndarray) -> np.ndarray:
    """The whole photograph with the body over it, and the outline of the person's mask or box.

    Args:
        source: the photograph with its masks.
        verts: (V, 3) vertices of the body, frame of the photograph's camera, metres.
        faces: (F, 3) triangles.
        K: (3, 3) intrinsics of the photograph.

    Returns:
        (h, w, 3) RGB uint8, at most `LONGEST` pixels wide and high.
    """
    scale = min(1.0, LONGEST / max(source.size))
    width, height = size = [max(1, round(scale * length)) for length in source.size]
    image = cv2.resize(
        cv2.cvtColor(source.photo.pixels, cv2.COLOR_BGR2RGB), size, interpolation=cv2.INTER_AREA
    )
    window = Window(0, 0, max(size), max(size))
    K_shown = resize_intrinsics(K, width / source.size[0], height / source.size[1])
    drawn = draw_surfaces(image, [Surface(verts, faces, PRED_BODY)], K_shown, window, OPACITY)
    outlines, _ = cv2.findContours(source.masks[0], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    corner = source.boxes[0, :2]
    shown = [np.round((outline + corner + 0.5) * scale - 0.5).astype(np.int32) for outline in outlines]
    cv2.polylines(drawn, shown, True, MASK_BODY, 1, cv2.LINE_AA)
    return np.ascontiguousarray(drawn[:height, :width])


def jpeg(picture: np.ndarray) -> bytes:
    """An RGB picture (h, w, 3) uint8 as a JPEG."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
