"""How much of the person a test image shows: the number that scores of people are split by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from rhobin.behave.release import Release
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.on_mask import on_person
from rhobin.metrics.human import HumanErrors
from rhobin.metrics.human_track import HumanScore, joints_of
from rhobin.metrics.posing import body_of
from rhobin.metrics.submission import Example
from rhobin.metrics.track import GroundTruth
from rhobin.scoring.breakdown import of_rows
from rhobin.scoring.by_image import rows_of_frames
from rhobin.scoring.document import JOINTS_VISIBLE, ScoredRow, Scores

EDGES = (0, 50, 70, 80, 90, 100)
"""Percentages of visible joints between which scores are told apart; frames that show all are a part."""


def with_visibility(scores: Scores, truth: GroundTruth, release: Release) -> Scores:
    """Scores of the human track with what is seen of the person in each frame, and split by it.

    Args:
        scores: scored rows by track and row.
        truth: what they were scored against.
        release: the test views, of the challenge's Kinect.

    Returns:
        The same scores; rows of the human track have the column `JOINTS_VISIBLE`, the share of joints that
        are seen, and in `more` ``by_joints_visible``, and ``by_joint_seen`` of single joints.
    """
    rows = scores.get("human", {})
    frames = {e.name: e for row in rows.values() if row.score for e in row.score.examples}
    seen = seen_joints(list(frames.values()), truth, release)
    known = dict(zip(frames, seen, strict=True))
    return {**scores, **({"human": {n: _with(row, known) for n, row in rows.items()}} if rows else {})}


def seen_joints(
    examples: Sequence[Example], truth: GroundTruth, release: Release
) -> Float[np.ndarray, "N 24"]:
    """Which of the person's 24 true joints lie where the test image shows the person.

    A joint counts whose pixel lies on the person's mask, or beside it by the few pixels that masks are off
    (`rhobin.data.images.on_mask.NEAR`). The mask is of what is seen of the person: a joint is hidden behind
    the object, behind furniture, or beyond the image's border. Behind the person's own body it is not: there
    the image shows the person.

    Args:
        examples: frames.
        truth: annotations and body models.
        release: the test views, of the challenge's Kinect.

    Returns:
        (N, 24) 1 where a joint is seen, else 0; NaN where the release has no usable mask of the person.
    """
    frames, views = release.frames, release.views
    sequences = [release.sequences[frames.sequence[frame]] for frame in views.frame]
    of_frame = rows_of_frames(examples, sequences, [str(frames.name[frame]) for frame in views.frame])
    joints = {}
    for name in {example.sequence for example in examples}:
        annotation = truth.annotations[name]
        body = body_of(truth.bodies, annotation.gender, name)
        joints[name] = joints_of(annotation, range(len(annotation.frames)), body)
    seen = np.full((len(examples), 24), np.nan)
    for row, (example, view) in enumerate(zip(examples, of_frame, strict=True)):
        if view is not None:
            place = truth.annotations[example.sequence].frames.index(example.frame)
            seen[row] = _seen(release, view, joints[example.sequence][place])
    return seen


def band(share: float) -> str:
    """The share of visible joints as a range of percentages: `EDGES`."""
    if share == 1:
        return "100 %"
    low, high = next((low, high) for low, high in pairwise(EDGES) if 100 * share < high)
    return f"{low}-{min(high, 99)} %"


def _seen(release: Release, view: int, joints: Float[np.ndarray, "24 3"]) -> np.ndarray:
    try:
        return on_person(release, view, joints).astype(np.float64)
    except BadSampleError:
        return np.full(len(joints), np.nan)


def _with(row: ScoredRow, known: Mapping[str, np.ndarray]) -> ScoredRow:
    score = row.score
    if not isinstance(score, HumanScore) or score.errors is None:
        return row
    seen = np.stack([known[example.name] for example in score.examples])
    shares = seen.mean(axis=1)
    told = {f"by_{JOINTS_VISIBLE}": _by_frame(score, shares), "by_joint_seen": _by_joint(score.errors, seen)}
    return replace(row, more={**row.more, **told}, columns={**row.columns, JOINTS_VISIBLE: shares})


def _by_frame(score: HumanScore, shares: Float[np.ndarray, " N"]) -> dict[str, Any]:
    """Scores of the frames of each band, from the least visible up."""
    parts: dict[str, list[int]] = {}
    for place in np.argsort(shares, kind="stable")[: int(np.isfinite(shares).sum())].tolist():
        parts.setdefault(band(float(shares[place])), []).append(place)
    return {name: of_rows(score, rows) for name, rows in parts.items()}


def _by_joint(errors: HumanErrors, seen: Float[np.ndarray, "N 24"]) -> dict[str, Any]:
    """Mean errors of all joints that are hidden, and of all that are seen; None where there is none."""
    columns = {"MPJPE": errors.distance_mm, "MPJPE_PA": errors.distance_pa_mm}
    return {
        name: {
            **{score: float(values[of].mean()) if of.any() else None for score, values in columns.items()},
            "joints": int(of.sum()),
        }
        for name, of in (("hidden", seen == 0), ("seen", seen == 1))
    }
