"""Several sets of predictions, scored in several tracks against one ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rhobin.behave.ref import SequenceAnnotation
from rhobin.metrics.submission import SubmissionError
from rhobin.metrics.track import Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.by_image import from_images, to_images
from rhobin.scoring.challenge import Challenge
from rhobin.scoring.document import ScoredRow
from rhobin.scoring.people import people_splits
from rhobin.scoring.symmetric import splits

Results = Mapping[str, Any]
Annotations = Mapping[str, SequenceAnnotation]

NO_NOTES: tuple[str, ...] = ()


def score_rows(
    challenge: Challenge,
    rows: Mapping[str, Mapping[str, Results]],
    protocols: Mapping[str, Any],
    workers: int = 2,
) -> dict[str, dict[str, ScoredRow]]:
    """Score sets of predictions, as ``rhobin score`` does.

    A track whose server refuses submissions that lack a frame is scored on the frames that every row
    predicts, since a test view without a usable image has no prediction; a note counts what is left out.

    Args:
        challenge: ground truth and body models.
        rows: predictions by sequence, by track and by name of their row.
        protocols: how to score each track.
        workers: threads.

    Returns:
        By track and row: the score, or the reason why the server would give none.
    """
    scored: dict[str, dict[str, ScoredRow]] = {}
    for name, of_track in rows.items():
        track = TRACKS[name]
        told = {row: in_its_terms(challenge, results) for row, results in of_track.items()}
        truth, left_out = challenge, NO_NOTES
        if track.every_frame:
            truth, told, left_out = _on_common_frames(challenge, told)
        scored[name] = {
            row: _score(track, truth, results, protocols[name], row, left_out, workers)
            for row, results in told.items()
        }
    return scored


def _score(
    track: Track,
    challenge: Challenge,
    results: Results,
    protocol: Any,
    row: str,
    notes: tuple[str, ...],
    workers: int,
) -> ScoredRow:
    try:
        score = track.score(challenge, results, protocol, f"row {row}", workers)
    except SubmissionError as error:
        return ScoredRow(None, str(error))
    return ScoredRow(score, notes=notes, more=splits(score, challenge.templates) | people_splits(score))


def in_its_terms(challenge: Challenge, results: Results) -> Results:
    """Predictions under the names that the ground truth has for their frames."""
    if challenge.edition == "2023":
        return results
    ids = {frame for annotation in challenge.annotations.values() for frame in annotation.frames}
    return from_images(to_images(results, ids), "predictions", challenge.annotations)


def _on_common_frames(
    challenge: Challenge, rows: Mapping[str, Results]
) -> tuple[Challenge, dict[str, Results], tuple[str, ...]]:
    """Ground truth and rows of the frames that every row predicts, and a note on the others."""
    common = {
        name: np.all([np.isin(truth.frames, _frames(results, name)) for results in rows.values()], axis=0)
        for name, truth in challenge.annotations.items()
    }
    lost = sum(len(truth.frames) - common[name].sum() for name, truth in challenge.annotations.items())
    truth = replace(challenge, annotations=_kept_truth(challenge.annotations, common))
    kept: dict[str, Results] = {
        name: _kept_results(results, truth.annotations) for name, results in rows.items()
    }
    notes = (f"{lost} test frame(s) without a prediction left out",) if lost else NO_NOTES
    return truth, kept, notes


def _frames(results: Results, sequence: str) -> list[str]:
    return list(results[sequence]["frames"]) if sequence in results else []


def _kept_truth(annotations: Annotations, common: Mapping[str, np.ndarray]) -> dict[str, SequenceAnnotation]:
    """The annotations of those frames; no sequence without any."""
    kept = {}
    for name, truth in annotations.items():
        rows = np.flatnonzero(common[name])
        if len(rows):
            arrays: dict[str, Any] = {
                key: value[rows] for key, value in vars(truth).items() if isinstance(value, np.ndarray)
            }
            kept[name] = replace(truth, frames=[truth.frames[row] for row in rows], **arrays)
    return kept


def _kept_results(results: Results, annotations: Annotations) -> dict[str, dict[str, Any]]:
    """The predictions of annotated frames, in the annotations' order."""
    kept = {}
    for name, truth in annotations.items():
        record = results[name]
        rows = [list(record["frames"]).index(frame) for frame in truth.frames]
        arrays = {key: value[rows] for key, value in record.items() if isinstance(value, np.ndarray)}
        kept[name] = {**record, **arrays, "frames": list(truth.frames)}
    return kept
