"""Light, colours and camera of one render, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.light.shading import Light
from rhobin.synthetic.paint.materials import Material, hsv

OTHER_MATERIAL = 0.2
"""How often an object wears a random material instead of its own."""
KINDS = ("plain", "grain", "carpet", "stripes", "checker", "tiles", "leaves", "poster", "planks")
LAMPS = 2


@dataclass(frozen=True)
class Look:
    """What a render looks like.

    Attributes:
        lamps: in the camera frame, metres.
        ambient: (3,) light from everywhere.
        exposure: (3,) factor per colour channel.
        tint: (3,) factor on the object's own colours.
        material: in place of the object's own; None for its own.
        gloss: strength of the highlight that is added.
        blur: of the lens, sigma in pixels of a picture 256 wide.
        noise: of the sensor, standard deviation in levels.
    """

    lamps: tuple[Light, ...]
    ambient: np.ndarray
    exposure: np.ndarray
    tint: np.ndarray
    material: Material | None
    gloss: float
    blur: float
    noise: float


def draw_look(rng: np.random.Generator, place: np.ndarray) -> Look:
    """Draw the look of a render of an object at a place (3,) in the camera frame."""
    ambient = rng.uniform(0.25, 0.7) * _warmth(rng)
    lamps = tuple(_lamp(rng, place) for _ in range(LAMPS))
    exposure = rng.uniform(0.7, 1.5) * rng.uniform(0.93, 1.07, 3)
    tint = rng.uniform(0.6, 1.3) * rng.uniform(0.85, 1.15, 3)
    own = rng.random() >= OTHER_MATERIAL
    material = _material(rng)
    return Look(
        lamps=lamps,
        ambient=ambient.astype(np.float32),
        exposure=exposure.astype(np.float32),
        tint=tint.astype(np.float32),
        material=None if own else material,
        gloss=float(rng.uniform(0, 0.15)),
        blur=float(rng.uniform(0.2, 1.0)),
        noise=float(rng.uniform(1.0, 4.0)),
    )


def _lamp(rng: np.random.Generator, place: np.ndarray) -> Light:
    """A square lamp at any side of the object but below it; the camera's y axis points down."""
    direction = rng.standard_normal(3)
    direction[1] = -abs(direction[1])
    direction /= np.linalg.norm(direction)
    distance, half = rng.uniform(1.5, 4.0), rng.uniform(0.05, 0.5)
    u = np.cross(direction, [0.3, 0.1, 1.0])
    u *= half / np.linalg.norm(u)
    color = rng.uniform(0.1, 1.2) * _warmth(rng)
    centre = place + direction * distance
    return Light(centre, u, np.cross(direction, u), color.astype(np.float32), distance)


def _warmth(rng: np.random.Generator) -> np.ndarray:
    """Colour (3,) of a light between a warm lamp's and the sky's."""
    return np.array([1.0, 0.93, 0.8]) + rng.random() * np.array([-0.12, 0.03, 0.28])


def _material(rng: np.random.Generator) -> Material:
    hues, dark = rng.random(2), rng.uniform(0.1, 1.0, 2)
    kind = KINDS[int(rng.integers(len(KINDS)))]
    first, second = (hsv(hue, rng.uniform(0, 0.9), value) for hue, value in zip(hues, dark, strict=True))
    return Material(kind, first, second, scale=float(rng.uniform(0.03, 0.2)))
