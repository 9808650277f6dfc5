"""Scores for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from rhobin.metrics.track import Column, Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.confidence import COVERED
from rhobin.scoring.document import ScoredRow, Scores
from rhobin.scoring.sequence_means import Spread, spreads
from rhobin.scoring.track import finite, protocol_words


def score_tables(scores: Scores) -> list[Table]:
    """One table for each track, 95 % intervals under the scores; captions say what else there is to know.

    Args:
        scores: scored rows by track and row.
    """
    return [_table(TRACKS[name], rows) for name, rows in scores.items()]


def _cell(column: Column, value: float | None, spread: Spread | None) -> str:
    """A score, and its 95 % interval under it where there is one whose ends differ as printed."""
    ends = spread.ends if spread else None
    told = column.ends_in_short(ends) if ends else ""
    low, _, high = told.partition("-")
    return column.shown(value) + (f"\n{told}" if low != high else "")


def _table(track: Track, rows: Mapping[str, ScoredRow]) -> Table:
    protocols = (row.score.protocol.as_dict() for row in rows.values() if row.score)
    protocol = next((f", {protocol_words(track.name, one)}" for one in protocols), "")
    title = f"{track.title}{protocol}, held-out frames"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), caption_justify="left")
    table.pad_edge = False
    table.add_column("prediction")
    for head in (*(column.head for column in track.columns), "frames"):
        table.add_column(head, justify="right")
    for name, row in rows.items():
        scores = finite(row.score.metrics()) if row.score else {}
        known = spreads(row.score) if row.score else {}
        values = (_cell(column, scores.get(column.name), known.get(column.name)) for column in track.columns)
        table.add_row(name.replace("_", " "), *values, str(len(row.score.examples)) if row.score else "-")
    told = [f"{name}: {row.reason}" for name, row in rows.items() if row.score is None]
    sure = {name: row.more["confidence"] for name, row in rows.items() if "confidence" in row.more}
    told += [f"{name}: {confidence_line(measured)}" for name, measured in sure.items()]
    table.caption = "\n".join(told) or None
    return table


def confidence_line(measured: Mapping[str, Any]) -> str:
    """What a confidence is worth: risk over coverage."""
    surest, every = 100 * measured["risk_of_surest"], 100 * (1 - measured["share_right"])
    return (
        f"{surest:.1f} % of the surest {100 * COVERED:.0f} % of frames are wrong, {every:.1f} % of all; area "
        f"under risk over coverage {measured['area_under_risk']:.3f}, at best "
        f"{measured['area_of_oracle']:.3f}"
    )
