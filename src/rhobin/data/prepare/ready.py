"""Whether a root is ready: a training would start, most views count, masks lie where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.data.images.crops import EMPTY_MASK
from rhobin.data.prepare.overlaps import misplaced
from rhobin.data.prepare.prepared import PreparedRelease

NOT_LOST = frozenset(
    {
        "missing_sequence",
        "not_registered",
        "unmatched_times",
        "not_in_split",
        "other_dataset",
        "not_in_frame_list",
    }
)
"""Reasons to leave out what was never to be used, or is not on this disk."""


def cannot_start(releases: Iterable[Release], missing: Mapping[str, Exception]) -> list[str]:
    """Why no training would start, if so.

    Args:
        releases: the splits that were read.
        missing: by split, why another one was not.
    """
    if any(release.split == "train" for release in releases):
        return []
    why = missing.get("train", "there is no training split")
    return [f"no training would start: {why}. Trained networks can still be tested on what is there"]


def mostly_lost(release: Release, lost: Iterable[Skip]) -> list[str]:
    """Say so where at least half the views of a split cannot be used.

    Args:
        release: a split.
        lost: what of its views was found unusable since it was read, one skip for each view.
    """
    found = list(lost)
    skips = [skip for skip in (*release.skips, *found) if skip.reason not in NOT_LOST]
    usable = len(release.views.frame) - len(found)
    gone = sum(skip.views for skip in skips)
    if usable > gone:
        return []
    reasons = sorted(count_skips(skips).items(), key=lambda item: -item[1]["views"])
    worst = next(skip for skip in skips if skip.reason == reasons[0][0])
    counts = ", ".join(f"{count['views']:,}: {REASONS[reason]}" for reason, count in reasons)
    return [
        f"only {usable:,} of {usable + gone:,} views of the {release.split} split can be used ({counts}), "
        f"for example {worst}"
    ]


def prepared_problems(releases: Sequence[PreparedRelease]) -> list[str]:
    """Why a prepared root is not ready, told from its index alone; none where it is."""
    problems = cannot_start(releases, {})
    for release in releases:
        problems += mostly_lost(release, [*release.unusable(), *_hidden(release)])
        rows = np.flatnonzero(release.stored["reason"] == b"")
        if len(rows):
            stored = release.stored[rows]
            problems += misplaced(release, rows, stored["boxes"].astype(np.float64), stored["size"])
    return problems


def _hidden(release: PreparedRelease) -> list[Skip]:
    """Stored views that hide the person or the object."""
    empty = (release.stored["boxes"][..., 2:] == 0).any(axis=2) & release.views.shown
    rows = np.flatnonzero(empty.any(axis=1) & (release.stored["reason"] == b""))
    part = empty[rows].argmax(axis=1)
    return [
        Skip(str(release.views.files[row][1 + p]), EMPTY_MASK[p], "no pixel is set", 1)
        for row, p in zip(rows.tolist(), part.tolist(), strict=True)
    ]
