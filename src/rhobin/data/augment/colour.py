"""Colour augmentation of uint8 images: KHOR's channel jitter and the colour set of G2DR."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for its newest version
import albumentations as A

COLOUR_SETS = ("none", "g2dr")
FRAME_WIDTH = 640  # pixels across the frames that GDR-Net's sizes are given for
CELL_PX = 20.0  # 24 x 32 cells on 480 x 640
BLUR_PX = 1.2
_LEVELS = np.arange(256, dtype=np.float32)[:, None].repeat(3, axis=1)
_RAMP = _LEVELS.astype(np.uint8)[:, None]


class ColourJitter:
    """Multiplies each colour channel by its own factor."""

    def __init__(self, colour: float):
        self.noise = A.MultiplicativeNoise(
            multiplier=(1 - colour, 1 + colour), per_channel=True, elementwise=False, p=1.0
        )

    def table(self, seed: int) -> np.ndarray:
        """What each level of the three channels becomes, (256, 3) uint8; depends on the seed only."""
        self.noise.set_random_state(np.random.default_rng(seed), self.noise.py_random)
        factors = self.noise.get_params_dependent_on_data({}, {"image": _RAMP})["multiplier"]
        return np.minimum(_LEVELS * factors, 255).astype(np.uint8)


@dataclass(frozen=True)
class Tone:
    """Pointwise changes of the three channels, in the order of GDR-Net; each clips to 0..255.

    Attributes:
        add: (3,) levels added.
        invert: (3,) whether a channel v becomes 255 - v.
        multiply: (3,) first factor.
        brightness: second factor, the same for all channels.
        contrast: (3,) a of 127 + a (v - 127).
    """

    add: np.ndarray
    invert: np.ndarray
    multiply: np.ndarray
    brightness: float
    contrast: np.ndarray

    def table(self) -> np.ndarray:
        """All of it as a look-up table (256, 3) uint8, rounded once."""
        levels = np.clip(_LEVELS + self.add, 0, 255)
        levels = np.where(self.invert, 255 - levels, levels)
        levels = np.clip(levels * self.multiply, 0, 255)
        levels = np.clip(levels * self.brightness, 0, 255)
        return np.clip(127 + self.contrast * (levels - 127), 0, 255).round().astype(np.uint8)


def draw_tone(rng: np.random.Generator) -> Tone:
    """Addition, inversion, both multiplications and contrast with GDR-Net's probabilities and ranges."""
    return Tone(
        add=_per_channel(rng, 0.5, -25, 25, shared=0.7, neutral=0).round(),
        invert=(rng.random() < 0.3) & (rng.random(3) < 0.2),
        multiply=_per_channel(rng, 0.5, 0.6, 1.4, shared=0.5, neutral=1),
        brightness=float(_per_channel(rng, 0.5, 0.6, 1.4, shared=1.0, neutral=1)[0]),
        contrast=_per_channel(rng, 0.5, 0.5, 2.2, shared=0.7, neutral=1),
    )


def drop_cells(image: np.ndarray, rng: np.random.Generator, cell: float, p: float = 0.2) -> np.ndarray:
    """Blacken each cell of a square grid with probability p, as coarse dropout of imgaug does.

    Args:
        image: (H, W, 3) uint8.
        rng: random numbers; the grid's phase is drawn too.
        cell: width of a cell, pixels.
        p: probability of a cell.

    Returns:
        A new image.
    """
    height, width = image.shape[:2]
    phase = rng.random(2)
    rows, columns = (
        np.floor((np.arange(length) + 0.5) / cell + start).astype(int)
        for length, start in zip((height, width), phase, strict=True)
    )
    keep = np.uint8(255) * (rng.random((rows[-1] + 1, columns[-1] + 1)) >= p)
    return cv2.bitwise_and(image, image, mask=np.ascontiguousarray(keep[rows[:, None], columns]))


def g2dr_colours(image: np.ndarray, rng: np.random.Generator, zoom: float) -> tuple[np.ndarray, list[str]]:
    """The colour set of GDR-Net that G2DR lists: grid dropout, blur, then pointwise changes.

    Args:
        image: (H, W, 3) uint8.
        rng: random numbers.
        zoom: pixels of this image per pixel of a frame 640 wide; scales dropout cells and blur.

    Returns:
        A new image, and what was done in words.
    """
    notes = []
    if rng.random() < 0.5:
        image = drop_cells(image, rng, max(1.0, CELL_PX * zoom))
        notes.append("dropout")
    sigma = BLUR_PX * rng.random() * zoom
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.05 else image
        notes.append(f"blur {sigma:.1f}")
    tone = draw_tone(rng)
    return cv2.LUT(image, tone.table()[None]), notes + _describe(tone)


def _per_channel(
    rng: np.random.Generator, p: float, low: float, high: float, shared: float, neutral: float
) -> np.ndarray:
    """With probability p three numbers from U(low, high), all the same with probability `shared`."""
    applies, same, values = rng.random() < p, rng.random() < shared, rng.uniform(low, high, 3)
    if not applies:
        return np.full(3, neutral, np.float32)
    return (values[:1].repeat(3) if same else values).astype(np.float32)


def _describe(tone: Tone) -> list[str]:
    parts = {
        "add": (tone.add, 0.0, ".0f"),
        "times": (tone.multiply, 1.0, ".2f"),
        "contrast": (tone.contrast, 1.0, ".2f"),
    }
    notes = []
    for name, (values, neutral, form) in parts.items():
        if (values != neutral).any():
            shown = values[:1] if np.ptp(values) == 0 else values
            notes.append(f"{name} {'/'.join(format(value, form) for value in shown)}")
    notes += [f"bright {tone.brightness:.2f}"] if tone.brightness != 1 else []
    return notes + (["invert " + "".join(np.array(list("BGR"))[tone.invert])] if tone.invert.any() else [])
