"""Occluders: what is put before person and object, which lose the pixels that are covered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.data.augment.background import Backgrounds, blend
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.pieces import Piece, cut_piece, noise_piece, rectangle_piece, render_piece
from rhobin.objects.template import Template

KINDS = ("object", "person", "template", "rectangle", "patch")
PERSON_SIZE = 2.0  # people are taller than most objects
LARGEST_ZOOM = 1.25  # cut-outs blur when enlarged
_DONORS, _PLACES, _SMALLER = 4, 6, 0.85  # tries, and how each next one shrinks


@dataclass(frozen=True)
class OccluderConfig:
    """Keys of `data.augment.occluder`.

    Attributes:
        p: probability that a sample gets occluders.
        kinds: drawn from with equal chances: "object" and "person" (cut from other training frames),
            "template" (rendered), "rectangle" (of noise), "patch" (a rectangle of the
            background that the sample was put before, or else of another one).
        size: least and largest longer side, as a share of the crop's width; twice that for people.
        count: largest number for one sample.
    """

    p: float = 0.0
    kinds: Sequence[str] = KINDS
    size: tuple[float, float] = (0.2, 0.5)
    count: int = 2

    def __post_init__(self):
        object.__setattr__(self, "kinds", tuple(self.kinds))
        object.__setattr__(self, "size", tuple(float(value) for value in self.size))
        where = "data.augment.occluder"
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise ValueError(f"{where}.kinds names {unknown[0]!r}; expected some of {', '.join(KINDS)}")
        if not self.kinds:
            raise ValueError(f"{where}.kinds is empty; set {where}.p=0 to have no occluders")
        if not 0 <= self.p <= 1 or self.count < 1:
            raise ValueError(f"{where}: p is {self.p}, count {self.count}; expected 0 <= p <= 1 <= count")
        if len(self.size) != 2 or not 0 < self.size[0] <= self.size[1] <= 1:
            raise ValueError(f"{where}.size is {list(self.size)}; expected [least, largest] within 0 and 1")


@dataclass
class Occluders:
    """Draws occluders and puts them on samples.

    Attributes:
        config: what to draw.
        min_visible: share of the person's and of the object's pixels that are never covered.
        donors: views to cut from.
        templates: objects to render.
        backgrounds: what patches show.
    """

    config: OccluderConfig
    min_visible: float
    donors: Donors
    templates: Sequence[Template]
    backgrounds: Backgrounds

    def apply(
        self,
        rng: np.random.Generator,
        index: int,
        color: np.ndarray,
        masks: np.ndarray,
        behind: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Put one to `count` occluders on a sample.

        Args:
            rng: random numbers.
            index: the sample's view; occluders come from other sequences.
            color: (S, S, 3) BGR uint8.
            masks: (2, S, S) uint8 of person and object, 0 or 255.
            behind: (S, S, 3) the background that the sample was put before, which shows through patches.

        Returns:
            New image and masks, and what was put on it in words.
        """
        notes = []
        before = _areas(masks)
        for _ in range(int(rng.integers(1, self.config.count + 1))):
            kind = self.config.kinds[int(rng.integers(len(self.config.kinds)))]
            placed = self._place(rng, index, kind, masks, before, behind)
            if placed is None:
                notes.append(f"{kind}: no room")
                continue
            above, alpha = placed
            if kind == "patch" and behind is not None:
                above = behind
            color = blend(color, above, alpha)
            masks = masks & _uncovered(alpha)
            notes.append(kind)
        return color, masks, notes

    def _place(
        self,
        rng: np.random.Generator,
        index: int,
        kind: str,
        masks: np.ndarray,
        before: np.ndarray,
        behind: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """An occluder as a layer of the sample: colour (S, S, 3) and alpha (S, S); None when none fits."""
        size = masks.shape[1]
        length = size * rng.uniform(*self.config.size) * (PERSON_SIZE if kind == "person" else 1)
        pieces = (self._makers(behind)[kind](rng, index, round(length)) for _ in range(_DONORS))
        piece = next((piece for piece in pieces if piece is not None), None)
        if piece is None:
            return None
        for _ in range(_PLACES):
            above, alpha = lay(piece, size, length, _somewhere_on(rng, masks), rng)
            left = _areas(masks & _uncovered(alpha))
            if (alpha > 127).any() and (left >= self.min_visible * before).all():
                return above, alpha
            length *= _SMALLER
        return None

    def _makers(
        self, behind: np.ndarray | None
    ) -> dict[str, Callable[[np.random.Generator, int, int], Piece | None]]:
        return {
            "person": lambda rng, index, size: self._cut(rng, index, 0),
            "object": lambda rng, index, size: self._cut(rng, index, 1),
            "template": lambda rng, index, size: render_piece(
                self.templates[int(rng.integers(len(self.templates)))], rng, size
            ),
            "rectangle": lambda rng, index, size: noise_piece(rng, size),
            "patch": lambda rng, index, size: self._patch(rng, index, size, behind),
        }

    def _cut(self, rng: np.random.Generator, index: int, which: int) -> Piece | None:
        found = self.donors.elsewhere(rng, index, self.donors.sequence)
        return cut_piece(found[1], which) if found else None

    def _patch(
        self, rng: np.random.Generator, index: int, size: int, behind: np.ndarray | None
    ) -> Piece | None:
        if behind is not None:
            return rectangle_piece(rng, behind)
        found = self.backgrounds.draw(rng, index, size)
        return rectangle_piece(rng, found[0]) if found else None


def lay(
    piece: Piece, size: int, length: float, centre: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A piece turned, mirrored or not, scaled and placed on an empty layer.

    Args:
        piece: what to place.
        size: width and height of the layer, pixels.
        length: longer side of the piece on it, pixels; a piece with few pixels stays smaller.
        centre: (2,) where its middle comes to lie.
        rng: random numbers.

    Returns:
        Colour (size, size, 3) and alpha (size, size), uint8.
    """
    height, width = piece.alpha.shape
    scale = min(length / max(height, width), LARGEST_ZOOM)
    angle = np.deg2rad(piece.turn_deg) * rng.uniform(-1, 1)
    mirror = -1.0 if rng.random() < 0.5 and piece.turn_deg else 1.0
    color, alpha = piece.color, piece.alpha
    if scale < 0.6:  # bilinear sampling alone would alias
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        color, alpha = (cv2.resize(a, target, interpolation=cv2.INTER_AREA) for a in (color, alpha))
        scale = 1.0
    middle = (np.array(alpha.shape[1::-1]) - 1) / 2
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([mirror, 1.0])
    matrix = np.c_[linear, centre - linear @ middle]
    above, alpha = (cv2.warpAffine(a, matrix, (size, size), flags=cv2.INTER_LINEAR) for a in (color, alpha))
    return above, alpha


def _somewhere_on(rng: np.random.Generator, masks: np.ndarray) -> np.ndarray:
    """A random pixel of the person or, as often, of the object."""
    which = masks[int(rng.integers(2))]
    pixels = cv2.findNonZero(which if which.any() else masks.max(axis=0))
    if pixels is None:
        return rng.uniform(0, masks.shape[1], 2)
    return pixels.reshape(-1, 2)[int(rng.integers(len(pixels)))].astype(np.float64)


def _areas(masks: np.ndarray) -> np.ndarray:
    return np.array([cv2.countNonZero(mask) for mask in masks])


def _uncovered(alpha: np.ndarray) -> np.ndarray:
    """255 where a layer is more transparent than opaque, else 0."""
    return cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY_INV)[1]
