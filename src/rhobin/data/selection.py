"""Which views of a split a method can use."""

from __future__ import annotations

import numpy as np

from rhobin.behave.framelist import chore_views
from rhobin.behave.release import Release
from rhobin.behave.skips import Skip
from rhobin.data.reads import WHERE, Reads
from rhobin.data.settings import SampleConfig
from rhobin.data.targets.views import ViewTargets

_REASONS = {"human": "no_human", "object": "no_object"}
_CROP_PARTS = {"person": "human", "object": "object"}


def select_views(
    release: Release, targets: ViewTargets, config: SampleConfig, frame_list: str
) -> tuple[np.ndarray, list[Skip]]:
    """The views of a split that a method can use, and that the frame list keeps.

    Training and validation need the ground truth of the parts that the method reads; a test view only has to
    show them. A crop about a part needs views that show it.

    Args:
        release: one split.
        targets: its ground truth.
        config: what samples hold.
        frame_list: "all" or "chore".

    Returns:
        Rows of the views, and what was left out and why.

    Raises:
        ValueError: no view is left; says what is missing, and what to do.
    """
    wanted = {*config.reads.parts, *(("human",) if frame_list == "chore" else ())}
    kept, skips = np.ones(len(release.views.frame), bool), []
    for part, has in _parts(release, targets, config.reads, wanted).items():
        skips += _left_out(release, np.flatnonzero(kept & ~has), part)
        kept &= has
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise ValueError(_nothing_left(release, config.reads, skips))
    if frame_list == "chore":
        listed, unlisted = chore_views(release, targets.joints[:, 0, 2])
        rows, skips = np.intersect1d(rows, listed), skips + unlisted
    return rows, skips


def _parts(release: Release, targets: ViewTargets, reads: Reads, wanted: set[str]) -> dict[str, np.ndarray]:
    """By part that is needed, which views (N,) have it."""
    frame = release.views.frame
    person, obj = release.views.shown.T
    shown = {"human": person, "object": obj & (targets.object_id[frame] >= 0)}
    known = shown
    if release.split != "test":
        known = {"human": targets.has_human[frame], "object": targets.has_object[frame]}
    found = {part: known[part] for part in sorted(wanted)}
    for crop in (reads.crop, *(crop.crop for crop in reads.further.values())):
        if crop in _CROP_PARTS:
            part = _CROP_PARTS[crop]
            found[part] = found.get(part, shown[part]) & shown[part]
    return found


def _left_out(release: Release, rows: np.ndarray, part: str) -> list[Skip]:
    """One skip for each sequence that loses views for want of a part."""
    owner = release.frames.sequence[release.views.frame[rows]]
    skips = []
    for sequence in np.unique(owner):
        mine = rows[owner == sequence]
        detail = f"{release.sequences[sequence]}: {len(mine)} views without a known {part}"
        skips.append(Skip(str(release.views.files[mine[0], 0]), _REASONS[part], detail, len(mine)))
    return skips


def _nothing_left(release: Release, reads: Reads, skips: list[Skip]) -> str:
    lost = {part: sum(s.views for s in skips if s.reason == why) for part, why in _REASONS.items()}
    missing = " and ".join(f"{count} have no {part}" for part, count in lost.items() if count)
    return (
        f"{release.root}: no {release.split} view can be used: of {len(release.views.frame)} views, "
        f"{missing} that is known. The method reads {' and '.join(reads.parts) or 'no part'} "
        f"({WHERE}.parts) with {WHERE}.crop={reads.crop}; set data.root to a root that has them, or choose "
        "a method that needs less"
    )
