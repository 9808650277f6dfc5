"""The lamps of a room: one at the ceiling, and the window."""

from __future__ import annotations

import numpy as np

from rhobin.synthetic.light.shading import Light
from rhobin.synthetic.paint.materials import Material
from rhobin.synthetic.places.shapes import Surface, box


def ceiling_lamp(rng: np.random.Generator, height: float) -> tuple[Light, Surface]:
    """A lamp panel at the ceiling: its light and the glowing surface."""
    x, z = rng.uniform(-0.7, 0.7, 2)
    half_u, half_v = rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.22)
    warmth = rng.uniform(0.72, 1.0)
    color = rng.uniform(0.85, 1.25) * np.array([1.0, 0.45 + 0.55 * warmth**0.5, warmth])
    centre = np.array([x, height - 0.03, z])
    light = Light(centre, np.array([half_u, 0, 0]), np.array([0, 0, half_v]), color.astype(np.float32), 1.9)
    glow = Material("plain", (1.0, 0.97, 0.9), emission=3.0)
    return light, box((2 * half_u, 0.02, 2 * half_v), (x, height - 0.01, z), glow)


def window_light(rng: np.random.Generator, side: int, away: float) -> Light:
    """Daylight: the sky seen in the window, or the sun far behind it."""
    out = np.array([np.sin(side * np.pi / 2), 0, np.cos(side * np.pi / 2)])
    along = np.array([out[2], 0, -out[0]])
    if rng.uniform() < 0.45:
        color = rng.uniform(1.1, 1.7) * np.array([1.0, 0.93, 0.8])
        direction = out + rng.uniform(-0.35, 0.35) * along + np.array([0, rng.uniform(0.45, 0.7), 0])
        distance = 40.0 / np.linalg.norm(direction)
        centre = np.array([0, 1.4, 0]) + direction * distance
        return Light(centre, 0.5 * along, np.array([0, 0.5, 0]), color.astype(np.float32), 40.0)
    color = rng.uniform(0.5, 0.9) * np.array([0.86, 0.95, 1.08])
    centre = out * (away - 0.08) + np.array([0, 1.55, 0])
    return Light(centre, 0.8 * along, np.array([0, 0.5, 0]), color.astype(np.float32), 2.4)
