"""Which augmentation a sample gets: a pure function of (seed, epoch, index), and its exact geometry.

The image is turned as if the camera rolled about the ray through the crop's centre: an exact homography,
so 3D targets turn by the same rotation and still project onto the turned image. Shifting, scaling and
cutting off only choose another crop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from rhobin.data.augment.colour import COLOUR_SETS
from rhobin.data.augment.cut import Cut, cut_off
from rhobin.data.augment.occlude import OccluderConfig
from rhobin.data.images.crops import MASK_THRESHOLD
from rhobin.data.images.framing import map_pixels
from rhobin.data.images.outline import DecodedView, Outline
from rhobin.data.images.patch import Patch

LAWS = ("normal", "uniform")
STREAMS = {"geometry": 1, "colour": 2, "occluder": 3, "background": 4, "mirror": 5, "points": 6}
_SUBJECTS = {"person": (0,), "object": (1,)}
_FURTHEST_MOVE = 0.5  # of the crop's side, when cutting off


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation: the keys of `data.augment`.

    Attributes:
        scale: crop side is multiplied by 1 + scale * x.
        rotation_deg: roll is rotation_deg * N(0, 1) clipped to two sigmas, degrees.
        rotation_p: probability of rolling at all.
        colour: each channel is multiplied by U(1 - colour, 1 + colour).
        law: of the x of scale and shift: "normal", N(0, 1) clipped to one sigma, or "uniform", U(-1, 1).
        shift: crop centre moves by shift * x of the width and height of what the masks cover.
        truncate_p: probability that the crop is moved until it cuts person and object off on one side.
        truncate: largest share of their extent that is cut off.
        mirror_p: probability of a mirrored sample. Where the method reads objects, only samples are mirrored
            whose object is its own mirror image.
        min_visible: share of the person's and of the object's pixels that no cut and no occluder takes.
        colour_set: "none", or "g2dr": dropout, blur, addition, inversion, multiplication, contrast.
        colour_p: probability of the colour set.
        background_p: probability of another background.
        background_from: "rooms" (other training views without their people and objects), "plain", "noise",
            a dataset root (the same, of its training views), or a folder of images.
        occluder: keys of `OccluderConfig`.
    """

    scale: float = 0.2
    rotation_deg: float = 30.0
    rotation_p: float = 0.6
    colour: float = 0.2
    law: str = "normal"
    shift: float = 0.0
    truncate_p: float = 0.0
    truncate: float = 0.3
    mirror_p: float = 0.0
    min_visible: float = 0.3
    colour_set: str = "none"
    colour_p: float = 0.8
    background_p: float = 0.0
    background_from: str = "rooms"
    occluder: OccluderConfig = field(default_factory=OccluderConfig)

    def __post_init__(self):
        for name, value in vars(self).items():
            if isinstance(value, (int, float)) and not 0 <= value < (
                180 if name == "rotation_deg" else 1.0001
            ):
                raise ValueError(f"data.augment.{name} is {value}, which is out of range")
        for name, known in (("law", LAWS), ("colour_set", COLOUR_SETS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"data.augment.{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}"
                )

    @property
    def own_rooms(self) -> bool:
        """Whether samples are to show rooms of their own dataset."""
        patches = self.occluder.p > 0 and "patch" in self.occluder.kinds
        return self.background_from == "rooms" and (self.background_p > 0 or patches)

    @property
    def reach(self) -> float:
        """How far beyond the square crop an augmented crop can look, as a factor on its side."""
        roll = np.deg2rad(min(2 * self.rotation_deg, 45.0)) if self.rotation_p else 0.0
        perspective = (
            1.2 if roll else 1.0
        )  # enough for crops up to 0.8 focal lengths wide at the image's edge
        moved = 2 * self.shift + (2 * _FURTHEST_MOVE if self.truncate_p else 0.0)
        return perspective * float(np.cos(roll) + np.sin(roll)) * (1 + self.scale) + moved


@dataclass(frozen=True)
class Augmentation:
    """What is done to one sample's geometry, and the seed of its channel jitter.

    Attributes:
        scale: factor on the crop's side.
        roll: radians.
        colour_seed: of the channel jitter; None for none.
        shift: move of the crop's centre, in widths and heights of what the masks cover.
        cut: edge of the crop (0 left, 1 top, 2 right, 3 bottom) and share of the extent to cut off; None for
            none.
        mirrored: whether left and right change places, after all else.
    """

    scale: float = 1.0
    roll: float = 0.0
    colour_seed: int | None = None
    shift: tuple[float, float] = (0.0, 0.0)
    cut: tuple[int, float] | None = None
    mirrored: bool = False

    def notes(self) -> list[str]:
        """In words, for captions."""
        notes = [f"scale {self.scale:.2f}"] if self.scale != 1 else []
        notes += [f"roll {np.rad2deg(self.roll):+.0f} deg"] if self.roll else []
        notes += [f"shift {self.shift[0]:+.2f} {self.shift[1]:+.2f}"] if any(self.shift) else []
        notes += [f"cut {self.cut[1]:.2f}"] if self.cut else []
        return notes + (["mirrored"] if self.mirrored else [])


def stream(name: str, seed: int, epoch: int, index: int) -> np.random.Generator:
    """Random numbers of one kind of augmentation: switching one kind on leaves the others' draws alone."""
    return np.random.default_rng([seed, epoch, index, STREAMS[name]])


def draw_augmentation(config: AugmentConfig, seed: int, epoch: int, index: int) -> Augmentation:
    """Draw the augmentation of a sample; the same arguments always give the same one."""
    rng = np.random.default_rng([seed, epoch, index])
    grow, turn = rng.standard_normal(2)
    rolls = rng.random() < config.rotation_p
    colour_seed = int(rng.integers(2**31))
    uniform, normal, cut = np.zeros(3), np.zeros(2), None
    if config.law == "uniform" or config.shift or config.truncate_p:
        rng = stream("geometry", seed, epoch, index)
        uniform, normal = rng.uniform(-1, 1, 3), np.clip(rng.standard_normal(2), -1, 1)
        cuts, side, depth = rng.random() < config.truncate_p, int(rng.integers(4)), float(rng.random())
        cut = (side, config.truncate * depth) if cuts else None
    mirrored = bool(config.mirror_p and stream("mirror", seed, epoch, index).random() < config.mirror_p)
    moves = uniform[1:] if config.law == "uniform" else normal
    grow = uniform[0] if config.law == "uniform" else min(max(grow, -1.0), 1.0)
    return Augmentation(
        scale=1 + config.scale * float(grow),
        roll=np.deg2rad(config.rotation_deg) * float(min(max(turn, -2.0), 2.0)) if rolls else 0.0,
        colour_seed=colour_seed if config.colour else None,
        shift=(config.shift * float(moves[0]), config.shift * float(moves[1])),
        cut=cut,
        mirrored=mirrored,
    )


def move_crop(
    change: Augmentation,
    view: Outline | DecodedView,
    crop: str,
    min_visible: float,
    to_view: np.ndarray | None = None,
) -> np.ndarray:
    """Centre (2,) of the crop in the image after shifting it and cutting off, pixels.

    Args:
        change: what was drawn. A cut that would show mostly what lies beyond the image's border is made on
            the side where the least of the crop does.
        view: the view with its plain crop.
        crop: kind of crop: what is cut off is the person, the object, or both together.
        min_visible: share of either mask's pixels that cutting off spares.
        to_view: (3, 3) map from the image to what the camera sees that is turned to the crop, in which the
            crop is moved; None for the image itself.
    """
    if change.cut is None and not any(change.shift):
        return view.centre
    seen = [view.masks[i] for i in _SUBJECTS.get(crop, (0, 1))]
    points = [points for points in map(_pixels, seen) if len(points)]
    if not points:
        return view.centre
    if to_view is None:
        return _moved(change, view, view.centre, points, min_visible)
    points = [map_pixels(part, to_view) for part in points]
    to_image = np.linalg.inv(to_view)
    centre = map_pixels(view.centre, to_view)
    return map_pixels(_moved(change, view, centre, points, min_visible, to_image), to_image)


def _moved(
    change: Augmentation,
    view: Outline | DecodedView,
    centre: np.ndarray,
    points: list[np.ndarray],
    min_visible: float,
    to_image: np.ndarray | None = None,
) -> np.ndarray:
    """The centre after its moves; it and the points are pixels of what the crop is square in."""
    extent = np.minimum(np.ptp(np.concatenate(points), axis=0), view.side)
    centre = centre + np.array(change.shift) * extent
    if change.cut is None:
        return centre
    cut = Cut(*change.cut, change.roll, min_visible, _FURTHEST_MOVE * view.side, view.size, to_image)
    return cut_off(centre, view.side * change.scale, points, cut)


def _pixels(mask: Patch) -> np.ndarray:
    """Image positions (N, 2) of the pixels of a mask."""
    rows, columns = np.nonzero(mask.pixels > MASK_THRESHOLD)
    return (np.stack([columns, rows], axis=1) - mask.from_image[:2, 2]) / mask.from_image[[0, 1], [0, 1]]


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
