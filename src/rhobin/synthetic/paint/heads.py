"""Faces and hair, painted by position in the T-pose."""

from __future__ import annotations

import numpy as np

from rhobin.synthetic.paint.looks import Landmarks, Look, Paint
from rhobin.synthetic.paint.noise import noise

HAIR_EDGE = 0.022
"""Metres over which hair thins out to skin."""


def paint_head(
    look: Look,
    marks: Landmarks,
    at: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    paint: Paint,
) -> None:
    """Paint hair above a tilted line, eyes, brows, lips, cheeks and beard."""
    if not len(at):
        return
    x, y, z = x[at], y[at] - marks.head[0], z[at] - marks.head[1]
    strand = noise(x * 2.5 + z, y * 0.5, 9.0)
    color = paint.albedo[at] * (1 + 0.05 * noise(x, y, 12.0)[:, None])
    front = z > 0.055
    blush = front & (np.hypot(x - 0.042, y - 0.005) < 0.022)
    color[blush] *= np.array([1.06, 0.9, 0.88], np.float32)
    lips = front & (x < 0.024) & (np.abs(y + 0.042) < 0.008 - 0.12 * x)
    color[lips] *= np.array([0.9, 0.6, 0.58], np.float32)
    if look.beard:
        jaw = (y < -0.02 - 0.25 * x) & (y > -0.13) & (z > 0.0) & ~lips | (
            front & (np.abs(y + 0.022) < 0.008) & (x < 0.03)
        )
        color[jaw] += look.beard * 0.8 * (np.asarray(look.hair, np.float32) - color[jaw])
    brows = front & (np.abs(x - 0.034) < 0.018) & (np.abs(y - 0.064) < 0.004)
    color[brows] = 0.5 * np.asarray(look.hair, np.float32) + 0.4 * np.asarray(look.skin, np.float32)
    eye = front & ((x - 0.032) ** 2 / 0.015**2 + (y - 0.043) ** 2 / 0.007**2 < 1)
    color[eye] = 0.5
    color[eye & (np.hypot(x - 0.032, y - 0.043) < 0.0055)] = 0.03
    hairline = 0.098 - 0.75 * np.clip(0.075 - z, 0, 0.16) - 0.02 * strand - 0.35 * np.clip(x - 0.055, 0, 1)
    cover = np.clip((y - hairline) / HAIR_EDGE + 0.5, 0, 1) * (y > -0.07)
    hair = cover > 0.5
    color += cover[:, None] * (np.asarray(look.hair, np.float32) * (1 + 0.35 * strand[:, None]) - color)
    paint.albedo[at] = color
    paint.bump[at[hair]], paint.gloss[at[hair]] = 0.3, 0.03


def paint_long_hair(
    look: Look, marks: Landmarks, x: np.ndarray, y: np.ndarray, z: np.ndarray, albedo: np.ndarray
) -> None:
    """Hair that falls over the neck to the shoulder blades."""
    down = y - marks.neck
    behind = z < marks.head[1] - 0.02 + 0.05 * np.clip(down / 0.2, -1, 1)
    hair = (
        behind & (x < 0.085 + 0.03 * np.sin(y * 40)) & (down > -0.16 - 0.02 * np.sin(x * 90)) & (down < 0.2)
    )
    strand = noise(x * 3, y * 0.3, 9.0)
    albedo[hair] = np.asarray(look.hair, np.float32) * (1 + 0.35 * strand[hair, None])
