"""Pictures of what a network drew of a view, each beside that of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, UInt8

from rhobin.geometry.mesh import Faces, Verts
from rhobin.reports.drawn_views import DRAWN, TRUE, ObjectView
from rhobin.reports.overlay import Surface, Window, draw_outlines
from rhobin.reports.palette import PRED_OBJECT, RGB
from rhobin.reports.target_maps import hues, mask_picture, nocs_picture

Picture = UInt8[np.ndarray, "h w 3"]


class Shape(Protocol):
    """What is drawn of a template."""

    @property
    def verts(self) -> Verts:
        """(V, 3) metres."""

    @property
    def faces(self) -> Faces:
        """(F, 3) triangles."""


Templates = Mapping[str, Shape]
"""Templates by object name."""

WHITE: RGB = (255, 255, 255)
HEADS = (
    ("Pose", "outline: white true, orange predicted"),
    ("Coordinates", "colour: place in the object's box (NOCS)"),
    ("Mask", "bright: visible, dark: hidden"),
    ("Regions", "colour: part of the surface"),
    ("Discriminator's view", "coordinates in the true mask; higher score: more real"),
)
"""Title of each kind of picture, and how to read it."""
SHADE = 0.45
"""Brightness of what something else hides."""


@dataclass(frozen=True)
class Panel:
    """One kind of picture.

    Attributes:
        title: its name.
        meaning: how to read it, a few words.
        pictures: of the truth, and of what the network drew.
        notes: what to write under each.
    """

    title: str
    meaning: str
    pictures: tuple[Picture, ...]
    notes: tuple[str, str]


def draw_panels(view: ObjectView, verts: Verts, faces: Faces, size: int = 256) -> list[Panel]:
    """The pictures of a view.

    Args:
        view: what the network drew, and the truth.
        verts: (V, 3) its object's template, metres.
        faces: (F, 3) triangles.
        size: width of the crop's picture, pixels; maps keep their own size.

    Returns:
        Pose, coordinates, masks and regions; and what a discriminator sees, where there is one.
    """
    outlines = [
        Surface(verts @ R.T + t, faces, color)
        for R, t, color in zip(view.R, view.t, (WHITE, PRED_OBJECT), strict=True)
    ]
    sides = [_pictures(view, side, outlines[: side + 1], size) for side in (TRUE, DRAWN)]
    real, drawn = (f"score {score:+.1f}" for score in view.scores)
    notes = {"Mask": ("", f"IoU {_overlap(view):.2f}"), "Discriminator's view": (real, drawn)}
    panels = [
        Panel(title, meaning, pair, notes.get(title, ("", "")))
        for (title, meaning), pair in zip(HEADS, zip(*sides, strict=True), strict=True)
    ]
    return panels[:-1] if np.isnan(view.scores).any() else panels


def _pictures(view: ObjectView, side: int, outlines: list[Surface], size: int) -> tuple[Picture, ...]:
    """Every kind of picture, of the truth or of what the network drew."""
    amodal, visible, nocs = view.amodal[side], view.visible[side], view.nocs[side]
    return (
        _posed(view, outlines, size),
        _shaded(nocs_picture(nocs, amodal | visible), amodal & ~visible),
        mask_picture(amodal, visible),
        _shaded(hues(view.region[side]), amodal & ~visible),
        np.where(view.amodal[TRUE][..., None], nocs, np.uint8(128)),  # what is masked counts as 0: grey
    )


def _posed(view: ObjectView, surfaces: list[Surface], size: int) -> Picture:
    """The crop with outlines, each as if the others were not there."""
    window = Window(0.0, 0.0, float(view.image.shape[0]), size)
    shown = window.cut(view.image)
    for surface in surfaces:
        shown = draw_outlines(shown, [surface], view.K, window)
    return shown


def _overlap(view: ObjectView) -> float:
    """Intersection over union of the visible masks."""
    true, drawn = view.visible
    return float((true & drawn).sum() / max((true | drawn).sum(), 1))


def _shaded(picture: Picture, hidden: Bool[np.ndarray, "h w"]) -> Picture:
    """Darker where the object is hidden."""
    return np.where(hidden[..., None], np.round(SHADE * picture), picture).astype(np.uint8)
