"""The human and the object track's scores of a run's rows, and the report's tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rhobin.metrics.protocol import PaperTable
from rhobin.metrics.submission import SubmissionError
from rhobin.reports.html import DASH, table, tag, text
from rhobin.reports.submissions import read_challenge
from rhobin.reports.tables import DESCRIPTIONS, paper_table
from rhobin.reports.track import PAPER, finite, score_track

UNITS = {
    "human": "MPJPE and MPJPE-PA in mm, PCK in percent, MPJAE and MPJAE-PA in degrees, on every test frame",
    "object": "MSSD in metres, MSPD in pixels at 2048 x 1536, RE in degrees, where 30 % of it is visible",
}
TITLES = {"human": "The human track", "object": "The object track"}


def score_tracks(
    ref_folder: Path,
    rows: Mapping[str, Mapping[str, Any]],
    tracks: Sequence[str],
    body_folder: Path | None = None,
    workers: int = 2,
) -> dict[str, dict[str, Any]]:
    """Score several sets of predictions in further tracks, as ``rhobin score`` does.

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
                "notes": list(score.notes),
                "protocol": score.protocol.as_dict(),
            }
    return found


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
        values = [_value(scores.get(key), factor) for key, factor in PAPER[track][1]]
        body.append((text(label), *values, str(row.get("frames", DASH))))
    return table(heads, body, range(1, len(heads)))


def _value(value: float | None, factor: float) -> str:
    return DASH if value is None else f"{value * factor:.3g}"


def _reasons(rows: Mapping[str, Any]) -> list[str]:
    return [text(f"{name}: no score. {row['reason']}") for name, row in rows.items() if "reason" in row]
