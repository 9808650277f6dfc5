"""Which frames a report shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rhobin.metrics.track import Track
from rhobin.metrics.tracks import HUMAN
from rhobin.scoring.document import JOINTS_VISIBLE, FrameRow

KINDS = ("best", "median", "worst")


@dataclass(frozen=True)
class Case:
    """A frame worth looking at.

    Attributes:
        kind: ``best``, ``median`` or ``worst``.
        error: its errors.
        track: the track that ranked it.
    """

    kind: str
    error: FrameRow
    track: Track

    @property
    def errors(self) -> str:
        """Its leading errors, with units."""
        leads = [column for column in self.track.leads if column.frames in self.error.errors]
        values = ((column, self.error.errors[column.frames]) for column in leads)
        return ", ".join(f"{column.name} {column.shown(value)} {column.unit}" for column, value in values)

    @property
    def seen(self) -> str:
        """How much the image shows: of the person's joints where they are scored, else of the object."""
        joints = self.error.errors.get(JOINTS_VISIBLE)
        if self.track is HUMAN and joints is not None:
            return f"{100 * joints:.0f} % of the joints seen"
        return f"{100 * self.error.visible:.0f} % of the object visible"

    @property
    def caption(self) -> str:
        """Sequence, frame and errors."""
        return f"{self.error.sequence} {self.error.frame}: {self.errors}, {self.seen}"


def choose_cases(frames: Sequence[FrameRow], track: Track, each: int = 3) -> list[Case]:
    """The best, the middle and the worst frames, each from another sequence where there are enough.

    Args:
        frames: errors of all frames; those that the track did not score are left out.
        track: ranks them by the mean of its `ranked_by`.
        each: how many of each kind, where there are enough.

    Returns:
        Cases by kind: best first, median by closeness to it, worst last.
    """
    scored = [frame for frame in frames if set(track.ranked_by) <= frame.errors.keys()]
    ranked = sorted(scored, key=lambda f: (_rank(f, track), f.sequence, f.frame))
    middle, each = len(ranked) // 2, min(each, max(1, len(ranked) // len(KINDS)))
    by_middle = [ranked[i] for i in sorted(range(len(ranked)), key=lambda i: abs(i - middle))]
    used: set[tuple[str, str]] = set()
    cases = []
    for kind, order in zip(KINDS, (ranked, by_middle, ranked[::-1]), strict=True):
        chosen = _distinct([f for f in order if (f.sequence, f.frame) not in used], each)
        used.update((f.sequence, f.frame) for f in chosen)
        cases += [Case(kind, f, track) for f in chosen]
    return cases


def _rank(frame: FrameRow, track: Track) -> float:
    return float(np.mean([frame.errors[name] for name in track.ranked_by]))


def _distinct(frames: Sequence[FrameRow], count: int) -> list[FrameRow]:
    chosen: list[FrameRow] = []
    for repeated in (False, True):
        for frame in frames:
            fresh = frame.sequence not in {c.sequence for c in chosen}
            if len(chosen) < count and frame not in chosen and (fresh or repeated):
                chosen.append(frame)
    return chosen
