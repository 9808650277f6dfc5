"""Scores of a checkpoint for its model card: values, how far they vary, and what they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.compare import compare, read_frame_scores
from rhobin.scoring.document import SCORES, read_scores, scored_tracks
from rhobin.scoring.measured import kind_of


def card_scores(folder: Path, checkpoint_hash: str) -> list[dict[str, Any]]:
    """The method's scores of each track; none where the checkpoint was not scored.

    Args:
        folder: with `scores.json` and `frames.csv`, where there are any.
        checkpoint_hash: SHA-256 of the checkpoint that they have to be of.

    Returns:
        By track: its name and title; what the scores are of, by `kind_of`; protocol; frames and sequences;
        hash of the data; `scores`: head, value and deviation over sequences, which is None where it is
        unknown, each as it is printed.

    Raises:
        ValueError: they were changed after they were written.
    """
    if not (folder / SCORES).is_file():
        return []
    document, _ = read_scores(folder)
    if document["origin"].get("checkpoint_hash") != checkpoint_hash:
        return []
    return [_track(folder, document, name) for name in scored_tracks(document)]


def _track(folder: Path, document: dict[str, Any], name: str) -> dict[str, Any]:
    origin, track = document["origin"], TRACKS[name]
    row = document["tracks"][name][origin["row"]]
    try:
        found = compare((read_frame_scores(folder, name),))
        spread, sequences = found.runs[0], found.sequences
    except ValueError:  # of one sequence alone: nothing varies
        spread, sequences = {}, 1
    scores = [
        {
            "head": column.head,
            "value": column.shown(row["scores"][column.name]),
            "deviation": column.shown(spread[column.name].deviation) if column.name in spread else None,
        }
        for column in track.columns
    ]
    return {
        "track": name,
        "title": track.title,
        "kind": kind_of(origin),
        "protocol": row["protocol"]["name"],
        "frames": row["frames"],
        "sequences": sequences,
        "data_hash": origin["data_hash"],
        "scores": scores,
    }
