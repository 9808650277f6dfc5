"""A run's `metrics.csv` as charts: losses and validation scores over steps."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rhobin.metrics.track import Column, Track
from rhobin.metrics.tracks import TRACKS
from rhobin.reports.figures import HEIGHT, WIDE, Reference, Series, line_chart

SMALL = (300, 170)
_REFERENCES = {True: {"constant": "constant", "perfect": "sampling floor"}, False: {"constant": "constant"}}
"""Rows to compare a score with, by whether it has a sampling floor."""

Columns = dict[str, tuple[list[float], list[float]]]


RESTORE = "copy the file again, or remove it to have a page without curves"


def read_metrics(path: Path) -> Columns:
    """Read a training log.

    Args:
        path: ``metrics.csv``: a ``step`` column and one column a metric, with empty cells.

    Returns:
        Steps and values of each metric, where it has any; empty when there is no log.

    Raises:
        ValueError: it is no such table.
    """
    columns: Columns = {}
    if not path.is_file():
        return columns
    try:
        rows = list(
            csv.DictReader(path.read_text(encoding="utf-8").splitlines(), restkey="beyond", strict=True)
        )
        for row in rows:
            for name, cell in row.items():
                if name not in ("step", "epoch") and cell:
                    steps, values = columns.setdefault(name, ([], []))
                    steps.append(float(row["step"]))
                    values.append(float(cell))
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path}: expected a column step and numbers, found {error!r}; {RESTORE}") from error
    if not rows:
        raise ValueError(f"{path}: expected rows of a column step and numbers, found none; {RESTORE}")
    return columns


def curve_figures(columns: Columns, tracks: Mapping[str, Any]) -> str:
    """Charts of the loss, each track's leading scores, every part of the loss and every other score.

    Args:
        columns: the training log.
        tracks: rows by track, of ``scores.json``; those of the constant and of the perfect prediction are
            drawn for comparison.

    Returns:
        HTML.
    """
    if not columns:
        return '<p class="note">This run has no training log.</p>'
    parts = [name.removeprefix("train/") for name in columns if name.startswith("train/")]
    main = [_loss_chart(columns, "loss", "Weighted sum of all losses.")] if "loss" in parts else []
    for track in TRACKS.values():
        main += _score_charts(columns, track, tracks.get(track.name, {}))
    drawn = {column.logged for track in TRACKS.values() for column in track.leads}
    drawn |= {f"val/{part}" for part in parts}
    small = [_loss_chart(columns, part, f"<b>{escape(part)}</b>", SMALL) for part in parts if part != "loss"]
    others = [
        _single_chart(columns, name) for name in columns if name.startswith("val/") and name not in drawn
    ]
    return (
        f'<div class="two">{"".join(main)}</div>'
        + _small("Parts of the loss, unweighted", small)
        + _small("Other scores of the validation views", others)
    )


def _small(head: str, charts: list[str]) -> str:
    return f'<h3>{head}</h3><div class="small">{"".join(charts)}</div>' if charts else ""


def _single_chart(columns: Columns, name: str) -> str:
    steps, values = columns[name]
    shown = name.removeprefix("val/")
    series = [Series("val", steps, values, "body")]
    return line_chart(series, f"<b>{escape(shown)}</b>", "step", from_zero=False, size=SMALL)


def _loss_chart(columns: Columns, name: str, caption: str, size: tuple[int, int] = (WIDE, HEIGHT)) -> str:
    series = []
    for split, style in (("train", "plain"), ("val", "body")):
        if f"{split}/{name}" in columns:
            steps, values = columns[f"{split}/{name}"]
            series.append(Series(split, steps, values, style))
    positive = all(v > 0 for s in series for v in s.y if math.isfinite(v))
    return line_chart(series, caption, "step", log_y=positive, from_zero=False, size=size)


def _score_charts(columns: Columns, track: Track, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Charts of the track's leading scores that were logged, each of one unit and one score of a part."""
    groups: dict[tuple[str, int], list[Column]] = {}
    for column in (column for column in track.leads if column.logged in columns):
        place = sum(c.part == column.part for group in groups.values() for c in group)
        groups.setdefault((column.unit, place), []).append(column)
    return [_score_chart(columns, track, leads, rows) for leads in groups.values()]


def _score_chart(
    columns: Columns, track: Track, leads: Sequence[Column], rows: Mapping[str, Mapping[str, Any]]
) -> str:
    series, references = [], []
    for column in leads:
        style = "body" if column.part == "human" else "object"
        series.append(Series(column.name, *columns[column.logged], style))
        for row, label in _REFERENCES[track.floor].items():
            value = rows.get(row, {}).get("scores", {}).get(column.name)
            if value is not None:
                references.append(Reference(label, value, style))
    names = " and ".join(column.head for column in leads)
    caption = f"{track.title}: {names} on a fixed sample of validation views."
    if references:
        caption += f" Dotted, on the test set: {' and '.join(dict.fromkeys(r.name for r in references))}."
    return line_chart(series, escape(caption), "step", references, log_y=True)
