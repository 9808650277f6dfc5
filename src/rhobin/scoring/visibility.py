"""How much of the person a test image shows: the number that scores of people are split by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from rhobin.behave.release import Release
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.on_mask import on_person
from rhobin.metrics.human_track import true_joints
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
        The same scores; rows of the human track have the column `JOINTS_VISIBLE` of `joints_visible`, and
        ``by_joints_visible`` in `more`.
    """
    rows = scores.get("human", {})
    frames = {e.name: e for row in rows.values() if row.score for e in row.score.examples}
    shares = joints_visible(list(frames.values()), truth, release)
    known = dict(zip(frames, shares.tolist(), strict=True))
    return {**scores, **({"human": {n: _with(row, known) for n, row in rows.items()}} if rows else {})}


def joints_visible(
    examples: Sequence[Example], truth: GroundTruth, release: Release
) -> Float[np.ndarray, " N"]:
    """Share of the person's 24 true joints that lie where the test image shows the person.

    A joint counts whose pixel lies on the person's mask, or beside it by the few pixels that masks are off
    (`rhobin.data.images.on_mask.NEAR`). The mask is of what is seen of the person: a joint is hidden behind
    the object, behind furniture, or beyond the image's border. Behind the person's own body it is not: there
    the image shows the person.

    Args:
        examples: frames.
        truth: annotations and body models.
        release: the test views, of the challenge's Kinect.

    Returns:
        (N,) in [0, 1]; NaN where the release has no usable mask of the person.
    """
    frames, views = release.frames, release.views
    sequences = [release.sequences[frames.sequence[frame]] for frame in views.frame]
    of_frame = rows_of_frames(examples, sequences, [str(frames.name[frame]) for frame in views.frame])
    joints: dict[str, np.ndarray] = {}
    shares = np.full(len(examples), np.nan)
    for row, (example, view) in enumerate(zip(examples, of_frame, strict=True)):
        annotation, name = truth.annotations[example.sequence], example.sequence
        if name not in joints:
            joints[name] = true_joints(annotation, body_of(truth.bodies, annotation.gender, name))
        if view is not None:
            shown = joints[name][annotation.frames.index(example.frame)]
            shares[row] = _share(release, view, shown)
    return shares


def band(share: float) -> str:
    """The share of visible joints as a range of percentages: `EDGES`."""
    if share == 1:
        return "100 %"
    low, high = next((low, high) for low, high in pairwise(EDGES) if 100 * share < high)
    return f"{low}-{min(high, 99)} %"


def _share(release: Release, view: int, joints: Float[np.ndarray, "J 3"]) -> float:
    try:
        return float(on_person(release, view, joints).mean())
    except BadSampleError:
        return np.nan


def _with(row: ScoredRow, known: Mapping[str, float]) -> ScoredRow:
    score = row.score
    if score is None or score.errors is None:
        return row
    shares = np.array([known[example.name] for example in score.examples])
    parts: dict[str, list[int]] = {}
    for place in np.argsort(shares)[: int(np.isfinite(shares).sum())].tolist():
        parts.setdefault(band(float(shares[place])), []).append(place)
    told = {name: of_rows(score, rows) for name, rows in parts.items()}
    more = {**row.more, f"by_{JOINTS_VISIBLE}": told}
    return replace(row, more=more, columns={**row.columns, JOINTS_VISIBLE: shares})
