"""What `rhobin score` writes: the server's `scores.txt`, and the scores in our own schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import rhobin
from rhobin.files import write_text
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.breakdown import breakdown, members
from rhobin.scoring.challenge import Challenge
from rhobin.scoring.document import FRAMES, SCORES, ScoredRow, write_scores
from rhobin.scoring.measured import OF_THE_FIELD
from rhobin.scoring.people import people_splits
from rhobin.scoring.sequence_means import Spread, spreads
from rhobin.scoring.symmetric import splits
from rhobin.scoring.track import TrackResult, finite, paper_rows

ROW = "results"
"""Name of the only row."""


def write_track(folder: Path, result: TrackResult, challenge: Challenge, origin: Mapping[str, Any]) -> None:
    """Write the official ``scores.txt``, ``scores.json`` and the per-frame table ``frames.csv``.

    Args:
        folder: where to; its name is the row's in tables.
        result: the score.
        challenge: what it was scored against.
        origin: what else to record with the score.
    """
    lines = "".join(f"{k}: {v}\n" for k, v in server_scores(result).items() if not math.isinf(v))
    write_text(folder / "scores.txt", lines)
    known: dict[str, Any] = {
        "row": ROW,
        "title": folder.name,
        "rhobin": rhobin.__version__,
        "ref_hash": challenge.ref_hash,
        **challenge.origin,
    }
    own = splits(result.score, challenge.templates) | people_splits(result.score)
    row = ScoredRow(result.score, more=_more(result) | own)
    write_scores(folder, {result.score.track: {ROW: row}}, {**known, **origin})


def server_scores(result: TrackResult) -> dict[str, float]:
    """The scores as the server names them: in 2024 one of each data set, of which the recalls are AR."""
    score = result.score
    if result.mode != "2024" or result.edition != "2024":
        return score.metrics()
    parts = members(score, "dataset").items()
    return _by_dataset(score, {name: score.metrics(np.array(rows)) for name, rows in parts})


def server_spreads(result: TrackResult) -> dict[str, Spread]:
    """How the scores of each data set vary, under the names of `server_scores`; of the edition of 2024."""
    score = result.score
    parts = members(score, "dataset").items()
    return _by_dataset(score, {name: spreads(score, np.array(rows)) for name, rows in parts})


def _by_dataset(score: ScoredFrames, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Values by data set and score under the names of the server of 2024."""
    track = TRACKS[score.track]
    names = {c.name: c.year_2024 for c in (*track.columns, *track.later) if c.year_2024}
    return {
        f"{name}_{dataset}": values[key]
        for dataset, values in parts.items()
        for key, name in names.items()
        if key in values
    }


def clear_track(folder: Path) -> None:
    """Leave an empty ``scores.txt``, as the server does without a score, and no other score behind."""
    for name in (SCORES, FRAMES):
        (folder / name).unlink(missing_ok=True)
    write_text(folder / "scores.txt", "")


def _more(result: TrackResult) -> dict[str, Any]:
    score = result.score
    apart = score.protocol.name in OF_THE_FIELD
    return {
        "mode": result.mode,
        "edition": result.edition,
        "spread": _spread(result.seeds),
        "paper": [] if apart else paper_rows(TRACKS[score.track], score.metrics()),
        "by_sequence": breakdown(score, "sequence"),
        "by_dataset": breakdown(score, "dataset") if result.edition == "2024" else {},
    }


def _spread(seeds: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    if not seeds:
        return {}
    names = next(iter(seeds.values()))
    values = {name: np.array([scores[name] for scores in seeds.values()]) for name in names}
    return {
        "seeds": list(seeds),
        "mean": finite({name: float(v.mean()) for name, v in values.items()}),
        "std": finite({name: float(v.std(ddof=1)) for name, v in values.items()}),
    }
