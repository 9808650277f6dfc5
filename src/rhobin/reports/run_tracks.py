"""The human and the object track's scores of a run's rows, and the report's tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.ref import SequenceAnnotation
from rhobin.metrics.protocol import PaperTable
from rhobin.metrics.submission import SubmissionError
from rhobin.reports.html import DASH, table, tag, text
from rhobin.reports.submissions import read_challenge
from rhobin.reports.tables import DESCRIPTIONS, paper_table
from rhobin.reports.track import PAPER, finite, score_track

UNITS = {
    "human": "MPJPE and MPJPE-PA in mm, PCK in percent, MPJAE and MPJAE-PA in degrees, on every frame",
    "object": "MSSD in metres, MSPD in pixels at 2048 x 1536, RE in degrees, where 30 % of it is visible",
}
TITLES = {"human": "The human track", "object": "The object track"}
_THREE_DECIMALS = ("AUC", "MSSD", "MSSD_AR", "MSPD_AR", "RE_AR", "AR_all")


def score_tracks(
    ref_folder: Path,
    rows: Mapping[str, Mapping[str, Any]],
    tracks: Sequence[str],
    body_folder: Path | None = None,
    workers: int = 2,
) -> dict[str, dict[str, Any]]:
    """Score several sets of predictions in further tracks, as ``rhobin score`` does.

    Only frames that every row predicts count: a test view without a usable image has no prediction, which the
    human track of the challenge refuses altogether. The notes count what is left out.

    Args:
        ref_folder: holds the challenge's ``ref.pkl``.
        rows: predictions by sequence, under the name of their row.
        tracks: human, object.
        body_folder: licensed body models; None for the stand-in.
        workers: threads.

    Returns:
        By track and row: ``scores``, ``frames``, ``coverage``, ``notes`` and ``protocol``; or the ``reason``
        why the server would give none.

    Raises:
        ValueError: an unknown track.
    """
    unknown = sorted(set(tracks) - set(TITLES))
    if unknown:
        raise ValueError(f"tracks: expected some of {sorted(TITLES)}, found {unknown[0]!r}")
    if not tracks:
        return {}
    challenge = read_challenge(ref_folder, body_folder)
    common = _common_frames(challenge.annotations, rows)
    lost = sum(len(truth.frames) - common[name].sum() for name, truth in challenge.annotations.items())
    left_out = [f"{lost} test frame(s) without a prediction left out"] if lost else []
    challenge = replace(challenge, annotations=_kept_truth(challenge.annotations, common))
    rows = {name: _kept_results(results, challenge.annotations) for name, results in rows.items()}
    found: dict[str, dict[str, Any]] = {track: {} for track in tracks}
    for track in tracks:
        for name, results in rows.items():
            try:
                result = score_track(track, challenge, results, source=f"row {name}", workers=workers)
            except SubmissionError as error:
                found[track][name] = {"reason": str(error)}
                continue
            score = result.score
            found[track][name] = {
                "scores": finite(score.metrics()),
                "frames": len(score.examples),
                "coverage": score.coverage,
                "notes": [*left_out, *score.notes],
                "protocol": score.protocol.as_dict(),
            }
    return found


def _common_frames(
    annotations: Mapping[str, SequenceAnnotation], rows: Mapping[str, Mapping[str, Any]]
) -> dict[str, np.ndarray]:
    """Which frames (T,) of each sequence every row predicts."""
    return {
        name: np.all([np.isin(truth.frames, _frames(results, name)) for results in rows.values()], axis=0)
        for name, truth in annotations.items()
    }


def _frames(results: Mapping[str, Any], sequence: str) -> list[str]:
    return list(results[sequence]["frames"]) if sequence in results else []


def _kept_truth(
    annotations: Mapping[str, SequenceAnnotation], common: Mapping[str, np.ndarray]
) -> dict[str, SequenceAnnotation]:
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


def _kept_results(
    results: Mapping[str, Any], annotations: Mapping[str, SequenceAnnotation]
) -> dict[str, dict[str, Any]]:
    """The predictions of annotated frames, in the annotations' order."""
    kept = {}
    for name, truth in annotations.items():
        record = results[name]
        rows = [list(record["frames"]).index(frame) for frame in truth.frames]
        arrays = {key: value[rows] for key, value in record.items() if isinstance(value, np.ndarray)}
        kept[name] = {**record, **arrays, "frames": list(truth.frames)}
    return kept


def track_sections(tracks: Mapping[str, Mapping[str, Any]], method: str, title: str) -> str:
    """Each track's scores with the paper's rows.

    Args:
        tracks: what `score_tracks` found.
        method: name of the method's row, which is emphasised.
        title: the method's name for people.

    Returns:
        HTML; empty where no further track was scored.
    """
    return "".join(
        tag("h3", text(TITLES[track]))
        + _track_table(track, rows, title)
        + "".join(tag("p", told, class_="note warn") for told in _reasons(rows))
        + tag("p", text("; ".join((UNITS[track], *rows[method].get("notes", ())))), class_="note")
        + paper_table(PAPER[track][0])
        for track, rows in tracks.items()
    )


def _track_table(track: str, rows: Mapping[str, Any], title: str) -> str:
    printed: PaperTable = PAPER[track][0]
    heads = ("Prediction", *map(text, printed.columns), "Frames")
    body = []
    for name, row in rows.items():
        label = DESCRIPTIONS.get(name, (title, ""))[0]
        scores = row.get("scores", {})
        values = [_value(key, scores.get(key), factor) for key, factor in PAPER[track][1]]
        body.append((text(label), *values, str(row.get("frames", DASH))))
    return table(heads, body, range(1, len(heads)))


def _value(key: str, value: float | None, factor: float) -> str:
    return DASH if value is None else f"{value * factor:.{3 if key in _THREE_DECIMALS else 1}f}"


def _reasons(rows: Mapping[str, Any]) -> list[str]:
    return [text(f"{name}: no score. {row['reason']}") for name, row in rows.items() if "reason" in row]
