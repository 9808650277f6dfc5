"""Keyboard and monitor."""

import numpy as np

from rhobin.objects.assemble import Color, Design, Part, Patch, facing, grip
from rhobin.objects.boxes import face_grips
from rhobin.objects.primitives import Box
from rhobin.objects.sweeps import frame_along

KEY: Color = (206, 204, 198)
GAP: Color = (34, 34, 38)
ACCENT: Color = (196, 92, 60)


def keyboard() -> Design:
    """A mechanical keyboard without a number pad, 36 x 4.3 x 14 cm: six rows of keys on a base."""
    base = Box(size=(0.36, 0.026, 0.138), radius=0.004, spacing=0.045)
    parts = [Part(base.placed((0, 0.013, 0)), (62, 64, 70))]
    heights = (0.008, 0.009, 0.011, 0.0135, 0.016, 0.018)
    for row, height in enumerate(heights):
        parts.append(_key_row(row, height))
    grips = face_grips((0.36, 0.026, 0.138), (0, 0.013, 0))
    keys = grip("keys", (0, 0.0385, -0.0105), (0, 1, 0), (1, 0, 0), length=0.34)
    return Design(parts, [g for g in grips if g.name != "top"] + [keys])


def _key_row(row: int, height: float) -> Part:
    """One row of keys, the front one (0) with a space bar; gaps are dark lines."""
    left = np.linspace(-0.172, 0.172, 16)
    if row == 0:
        left = left[[0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15]]
    gap = 0.0016
    inner = left[1:-1]
    cuts = tuple(float(x) for x in np.sort(np.concatenate([inner - gap, inner + gap])))

    def between(c: np.ndarray, n: np.ndarray) -> np.ndarray:
        return np.abs(c[:, :1] - inner).min(axis=1) < gap

    corner = Patch(
        ACCENT, lambda c, n: (c[:, 0] < left[1]) if row == 5 else (c[:, 0] > left[-2]) & (row == 2)
    )
    bar = Box(size=(0.344, height, 0.0195), spacing=0.12, cuts=(cuts, (), ()))
    solid = bar.placed((0, 0.025 + height / 2, 0.0525 - 0.021 * row))
    return Part(solid, KEY, (corner, Patch(GAP, between)))


def monitor() -> Design:
    """A 24 inch screen on a stand, 54 cm wide and 49 cm high."""
    black: Color = (36, 37, 40)
    edge = 0.010
    x, y = 0.54 / 2 - edge, 0.325 / 2 - edge
    screen = Patch((52, 84, 128), facing((0, 0, 1), (-x, -y, 0), (x, y, 1)))
    window = Patch((196, 206, 214), facing((0, 0, 1), (-0.2, -0.06, 0), (0.02, 0.11, 1)))
    panel = Box(
        size=(0.54, 0.325, 0.032), spacing=0.047, cuts=((-x, -0.2, 0.02, x), (-y, -0.06, 0.11, y), ())
    )
    rear = Box(size=(0.30, 0.20, 0.03), radius=0.012, spacing=0.06)
    neck = Box(size=(0.07, 0.24, 0.025), spacing=0.05)
    foot = Box(size=(0.25, 0.016, 0.19), radius=0.006, spacing=0.05)
    lean = frame_along(np.array([0.0, 0.98, 0.12]) / np.hypot(0.98, 0.12))
    grey = (150, 153, 158)
    parts = [
        Part(panel.placed((0, 0.3275, 0.02)), black, (screen, window)),
        Part(rear.placed((0, 0.32, -0.008)), black),
        Part(neck.placed((0, 0.13, -0.038), lean), grey),
        Part(foot.placed((0, 0.008, -0.02)), grey),
    ]
    grips = [g for g in face_grips((0.54, 0.325, 0.032), (0, 0.3275, 0.02)) if g.name != "back"]
    back = grip("back", (0, 0.32, -0.023), (0, 0, -1), (1, 0, 0), length=0.30)
    return Design(parts, [*grips, back])
