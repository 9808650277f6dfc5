"""Which views a report shows the maps of: by kind, by what is seen, and by error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rhobin.behave.ref import RefTemplate
from rhobin.scoring.document import JOINTS_VISIBLE, FrameRow
from rhobin.scoring.symmetric import ASYMMETRIC, symmetry_kind

MOSTLY = 0.6
"""Visible fraction from which an object counts as mostly visible."""
OBJECT_GROUPS = (
    "Asymmetric objects, mostly visible",
    "Asymmetric objects, much hidden",
    "Symmetric objects, mostly visible",
    "Symmetric objects, much hidden",
)
MOST_JOINTS = 0.9
"""Share of visible joints from which a person counts as mostly visible."""
PEOPLE_GROUPS = ("People, mostly visible", "People, much hidden")
PLACES = {"median": 1 / 2, "good": 1 / 6, "bad": 5 / 6}
"""Place of each kind among the frames of a group, from the least error to the largest; the median first."""

Chosen = list[tuple[FrameRow, str]]


def choose_objects(frames: Sequence[FrameRow], templates: Mapping[str, RefTemplate]) -> Chosen:
    """A good, a median and a bad view of each group of objects, as far as there are as many.

    Args:
        frames: errors of frames; those without a score of the object track are left out.
        templates: by object name.

    Returns:
        Frame and ``good``, ``median`` or ``bad``, by group and error; at most twelve.
    """
    scored = [frame for frame in frames if {"mssd_mm", "diameter_mm"} <= frame.errors.keys()]
    return _of_each_group(scored, OBJECT_GROUPS, lambda frame: object_group(frame, templates), relative_error)


def choose_people(frames: Sequence[FrameRow]) -> Chosen:
    """The same of people, by MPJPE; frames without a score of the human track are left out; at most six."""
    scored = [frame for frame in frames if "mpjpe_mm" in frame.errors]
    return _of_each_group(scored, PEOPLE_GROUPS, people_group, lambda frame: frame.errors["mpjpe_mm"])


def object_group(frame: FrameRow, templates: Mapping[str, RefTemplate]) -> str:
    """Which of `OBJECT_GROUPS` a frame belongs to."""
    symmetric = symmetry_kind(templates[frame.object_name]) != ASYMMETRIC
    return OBJECT_GROUPS[2 * symmetric + (frame.visible < MOSTLY)]


def people_group(frame: FrameRow) -> str:
    """Which of `PEOPLE_GROUPS` a frame belongs to; the first where nobody knows how many joints it shows."""
    return PEOPLE_GROUPS[frame.errors.get(JOINTS_VISIBLE, 1.0) < MOST_JOINTS]


def relative_error(frame: FrameRow) -> float:
    """Largest distance between true and predicted surface points (MSSD) in diameters of the object."""
    return frame.errors["mssd_mm"] / frame.errors["diameter_mm"]


def _of_each_group(
    frames: Sequence[FrameRow],
    names: Sequence[str],
    group_of: Callable[[FrameRow], str],
    error: Callable[[FrameRow], float],
) -> Chosen:
    groups: dict[str, list[FrameRow]] = {name: [] for name in names}
    for frame in frames:
        groups[group_of(frame)].append(frame)
    return [pair for group in groups.values() for pair in _spread(group, error)]


def _spread(group: Sequence[FrameRow], error: Callable[[FrameRow], float]) -> Chosen:
    ranked = sorted(group, key=lambda frame: (error(frame), frame.sequence, frame.frame))
    kinds: dict[int, str] = {}
    for kind, place in PLACES.items():
        kinds.setdefault(round(place * (len(ranked) - 1)), kind)
    return [(ranked[row], kinds[row]) for row in sorted(kinds) if ranked]
