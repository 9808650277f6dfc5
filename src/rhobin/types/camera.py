"""A camera placed in a world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A camera placed in a world: a pinhole, behind a lens where its distortion is known.

    Attributes:
        K: (3, 3) intrinsics in pixels.
        R: (3, 3) rotation of the camera-to-world transform, ``X_world = R X_cam + t``.
        t: (3,) translation of the same transform, metres.
        width: image width in pixels.
        height: image height in pixels.
        distortion: (8,) lens coefficients k1, k2, p1, p2, k3, k4, k5, k6 (`rhobin.geometry.distortion`), or
            None for a true pinhole.
    """

    K: np.ndarray
    R: np.ndarray
    t: np.ndarray
    width: int
    height: int
    distortion: np.ndarray | None = None
