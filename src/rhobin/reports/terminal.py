"""Scores for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from rhobin.metrics.track import Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.document import ScoredRow, Scores
from rhobin.scoring.track import finite


def score_tables(scores: Scores) -> list[Table]:
    """One table for each track; its caption says why a row has no score.

    Args:
        scores: scored rows by track and row.
    """
    return [_table(TRACKS[name], rows) for name, rows in scores.items()]


def _table(track: Track, rows: Mapping[str, ScoredRow]) -> Table:
    protocol = next((f", {row.score.protocol.name}" for row in rows.values() if row.score), "")
    title = f"{track.title}{protocol}, held-out frames"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), caption_justify="left")
    table.add_column("prediction", no_wrap=True)
    for head in (*(column.head for column in track.columns), "frames"):
        table.add_column(head, justify="right")
    for name, row in rows.items():
        scores = finite(row.score.metrics()) if row.score else {}
        values = (column.shown(scores.get(column.name)) for column in track.columns)
        table.add_row(name, *values, str(len(row.score.examples)) if row.score else "-")
    reasons = [f"{name}: {row.reason}" for name, row in rows.items() if row.score is None]
    table.caption = "\n".join(reasons) or None
    return table
