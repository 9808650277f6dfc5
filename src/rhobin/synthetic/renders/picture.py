"""A render as files, and what any renderer's colours go through before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rhobin.behave.renders import NOCS_ONE, picture_names
from rhobin.synthetic.renders.look import Look

LOOK_SIZE = 256
BLEED = 4
"""Pixels by which colours are carried over the outline, so that neither JPEG nor a paste mixes in black."""
JPEG_QUALITY = 92
_CROSS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Picture:
    """A render of one object.

    Attributes:
        color: (S, S, 3) uint8 BGR, black away from the object.
        mask: (S, S) uint8, 255 on the object, else 0.
        nocs: (S, S, 3) uint16 coordinates x, y, z in the template's cube, `NOCS_ONE` for 1; 0 off the object.
    """

    color: np.ndarray
    mask: np.ndarray
    nocs: np.ndarray


class Renderer(Protocol):
    """What renders one template."""

    def render(
        self, R: np.ndarray, t: np.ndarray, K: np.ndarray, size: int, look: Look, rng: np.random.Generator
    ) -> Picture:
        """Render one pose.

        Args:
            R: (3, 3) rotation, template to camera.
            t: (3,) translation, metres.
            K: (3, 3) intrinsics of the picture.
            size: its width and height, pixels.
            look: light, colours and camera.
            rng: of the sensor's noise.
        """


def through_camera(color: np.ndarray, on: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    """Colours (S, S, 3) uint8 as a camera takes them: carried over the outline, blurred and noisy.

    Args:
        color: (S, S, 3) uint8.
        on: (S, S) bool, where they are known.
        look: its lens and sensor.
        rng: of the noise.
    """
    x, y, width, height = cv2.boundingRect(on.astype(np.uint8))
    around = BLEED + 2
    box = (slice(max(y - around, 0), y + height + around), slice(max(x - around, 0), x + width + around))
    known, near = on[box], color[box].astype(np.float32)
    grown = _carried(near * known[..., None], known)
    soft = cv2.GaussianBlur(grown, (0, 0), look.blur * len(color) / LOOK_SIZE)
    grain = rng.standard_normal(soft.shape, dtype=np.float32) * np.float32(look.noise)
    near_on = cv2.dilate(known.astype(np.uint8), _CROSS, iterations=BLEED) > 0
    taken = np.zeros_like(color)
    taken[box] = np.where(near_on[..., None], np.clip(soft + grain, 0, 255), 0).round().astype(np.uint8)
    return taken


def _carried(color: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Colours continued over the outline, ring by ring, a little further than is kept."""
    weight = on.astype(np.float32)
    for _ in range(BLEED + 2):
        total, count = cv2.blur(color, (3, 3)), cv2.blur(weight, (3, 3))
        fresh = (weight == 0) & (count > 0)
        color[fresh] = total[fresh] / count[fresh, None]
        weight[fresh] = 1
    return color


def quantised(nocs: np.ndarray) -> np.ndarray:
    """Coordinates in [0, 1] as 16-bit levels."""
    return np.rint(np.clip(nocs, 0, 1) * NOCS_ONE).astype(np.uint16)


def write_picture(folder: Path, index: int, picture: Picture) -> None:
    """Write the three pictures of a pose into the folder of its part."""
    color, mask, nocs = (folder / name for name in picture_names(index))
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    color.write_bytes(_encoded(".jpg", picture.color, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]))
    mask.write_bytes(_encoded(".png", picture.mask, quick))
    nocs.write_bytes(_encoded(".png", cv2.cvtColor(picture.nocs, cv2.COLOR_RGB2BGR), quick))


def _encoded(kind: str, image: np.ndarray, options: list[int]) -> bytes:
    return bytes(cv2.imencode(kind, image, options)[1])
