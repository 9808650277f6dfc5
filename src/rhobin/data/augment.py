"""Augmentation of a view, a pure function of (seed, epoch, index).

The image is turned as if the camera rolled about the ray through the crop's centre: an exact homography,
so 3D targets turn by the same rotation and still project onto the turned image.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for its newest version
import albumentations as A


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation.

    Attributes:
        scale: crop side is multiplied by 1 + scale * N(0, 1) clipped to one sigma.
        rotation_deg: roll is rotation_deg * N(0, 1) clipped to two sigmas, degrees.
        rotation_p: probability of rolling at all.
        colour: each channel is multiplied by U(1 - colour, 1 + colour).
    """

    scale: float = 0.2
    rotation_deg: float = 30.0
    rotation_p: float = 0.6
    colour: float = 0.2

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 <= value < (180 if name == "rotation_deg" else 1.0001):
                raise ValueError(f"data.augment.{name} is {value}, which is out of range")

    @property
    def reach(self) -> float:
        """How far beyond the square crop an augmented crop can look, as a factor on its side."""
        roll = np.deg2rad(min(2 * self.rotation_deg, 45.0)) if self.rotation_p else 0.0
        perspective = (
            1.2 if roll else 1.0
        )  # enough for crops up to 0.8 focal lengths wide at the image's edge
        return perspective * float(np.cos(roll) + np.sin(roll)) * (1 + self.scale)


@dataclass(frozen=True)
class Augmentation:
    """What is done to one sample: factor on the crop's side, roll in radians, seed of the colour jitter."""

    scale: float = 1.0
    roll: float = 0.0
    colour_seed: int | None = None


def draw_augmentation(config: AugmentConfig, seed: int, epoch: int, index: int) -> Augmentation:
    """Draw the augmentation of a sample; the same arguments always give the same one."""
    rng = np.random.default_rng([seed, epoch, index])
    grow, turn = rng.standard_normal(2)
    rolls = rng.random() < config.rotation_p
    colour_seed = int(rng.integers(2**31))
    return Augmentation(
        scale=1 + config.scale * float(np.clip(grow, -1, 1)),
        roll=np.deg2rad(config.rotation_deg) * float(np.clip(turn, -2, 2)) if rolls else 0.0,
        colour_seed=colour_seed if config.colour else None,
    )


def roll_about(centre: np.ndarray, K: np.ndarray, roll: float) -> np.ndarray:
    """Rotation of the camera frame about the ray through a pixel.

    Args:
        centre: (2,) pixel that stays where it is.
        K: (3, 3) intrinsics in pixels.
        roll: angle in radians; positive turns the image clockwise as seen by a viewer.

    Returns:
        (3, 3) Q with X' = Q X; the image moves by the homography K Q K^-1.
    """
    if roll == 0:
        return np.eye(3)
    ray = np.linalg.solve(K, np.array([centre[0], centre[1], 1.0]))
    return cv2.Rodrigues(ray * (roll / np.linalg.norm(ray)))[0]


class ColourJitter:
    """Multiplies each colour channel by its own factor, drawn from the seed given with the image."""

    def __init__(self, colour: float):
        noise = A.MultiplicativeNoise(
            multiplier=(1 - colour, 1 + colour), per_channel=True, elementwise=False, p=1.0
        )
        self.compose = A.Compose([noise])

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Jitter a uint8 image (H, W, 3); the result depends on the image and the seed only."""
        self.compose.set_random_seed(seed)
        return self.compose(image=image)["image"]
