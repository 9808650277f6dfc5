"""Which views a report shows the maps of: by symmetry, visible fraction and error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhobin.behave.ref import RefTemplate
from rhobin.scoring.document import FrameRow
from rhobin.scoring.symmetric import ASYMMETRIC, symmetry_kind

MOSTLY = 0.6
"""Visible fraction from which an object counts as mostly visible."""
GROUPS = (
    "Asymmetric objects, mostly visible",
    "Asymmetric objects, much hidden",
    "Symmetric objects, mostly visible",
    "Symmetric objects, much hidden",
)
PLACES = {"median": 1 / 2, "good": 1 / 6, "bad": 5 / 6}
"""Place of each kind among the frames of a group, from the least error to the largest; the median first."""


def choose_views(
    frames: Sequence[FrameRow], templates: Mapping[str, RefTemplate]
) -> list[tuple[FrameRow, str]]:
    """A good, a median and a bad view of each group, as far as there are as many.

    Args:
        frames: errors of frames; those without a score of the object track are left out.
        templates: by object name.

    Returns:
        Frame and ``good``, ``median`` or ``bad``, by group and error; at most twelve.
    """
    groups: dict[str, list[FrameRow]] = {name: [] for name in GROUPS}
    for frame in frames:
        if {"mssd_mm", "diameter_mm"} <= frame.errors.keys():
            groups[group_of(frame, templates)].append(frame)
    return [pair for group in groups.values() for pair in _spread(group)]


def group_of(frame: FrameRow, templates: Mapping[str, RefTemplate]) -> str:
    """Which of `GROUPS` a frame belongs to."""
    symmetric = symmetry_kind(templates[frame.object_name]) != ASYMMETRIC
    return GROUPS[2 * symmetric + (frame.visible < MOSTLY)]


def relative_error(frame: FrameRow) -> float:
    """Largest distance between true and predicted surface points (MSSD) in diameters of the object."""
    return frame.errors["mssd_mm"] / frame.errors["diameter_mm"]


def _spread(group: Sequence[FrameRow]) -> list[tuple[FrameRow, str]]:
    ranked = sorted(group, key=lambda frame: (relative_error(frame), frame.sequence, frame.frame))
    kinds: dict[int, str] = {}
    for kind, place in PLACES.items():
        kinds.setdefault(round(place * (len(ranked) - 1)), kind)
    return [(ranked[row], kinds[row]) for row in sorted(kinds) if ranked]
