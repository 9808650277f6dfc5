"""A run's `metrics.csv` as charts: losses and validation errors over steps."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from rhobin.reports.figures import HEIGHT, WIDE, Reference, Series, line_chart

SMALL = (300, 170)

Columns = dict[str, tuple[list[float], list[float]]]


def read_metrics(path: Path) -> Columns:
    """Read a training log.

    Args:
        path: ``metrics.csv``: a ``step`` column and one column a metric, with empty cells.

    Returns:
        Steps and values of each metric, where it has any; empty when there is no log.
    """
    columns: Columns = {}
    if not path.is_file():
        return columns
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                if name not in ("step", "epoch") and cell:
                    steps, values = columns.setdefault(name, ([], []))
                    steps.append(float(row["step"]))
                    values.append(float(cell))
    return columns


def curve_figures(columns: Columns, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Charts of the loss, the joint errors, and every part of the loss.

    Args:
        columns: the training log.
        rows: rows of ``scores.json``; the constant's and the floor's errors are drawn for comparison.

    Returns:
        HTML.
    """
    if not columns:
        return '<p class="note">This run has no training log.</p>'
    main = [_loss_chart(columns, "loss", "Weighted sum of all losses."), _error_chart(columns, rows)]
    parts = [name.removeprefix("train/") for name in columns if name.startswith("train/")]
    small = [_loss_chart(columns, part, f"<b>{part}</b>", SMALL) for part in parts if part != "loss"]
    return (
        f'<div class="two">{"".join(main)}</div>'
        f'<h3>Parts of the loss, unweighted</h3><div class="small">{"".join(small)}</div>'
    )


def _loss_chart(columns: Columns, name: str, caption: str, size: tuple[int, int] = (WIDE, HEIGHT)) -> str:
    series = []
    for split, style in (("train", "plain"), ("val", "body")):
        if f"{split}/{name}" in columns:
            steps, values = columns[f"{split}/{name}"]
            series.append(Series(split, steps, values, style))
    positive = all(v > 0 for s in series for v in s.y if math.isfinite(v))
    return line_chart(series, caption, "step", log_y=positive, from_zero=False, size=size)


def _error_chart(columns: Columns, rows: Mapping[str, Mapping[str, float]]) -> str:
    series, references = [], []
    for part, style in (("smpl", "body"), ("object", "object")):
        if f"val/{part}_mm" in columns:
            steps, values = columns[f"val/{part}_mm"]
            series.append(Series("SMPL" if part == "smpl" else part, steps, values, style))
        for row, label in (("constant", "constant"), ("perfect", "floor")):
            value = rows.get(row, {}).get(f"{part}_mm")
            if value is not None and series:
                references.append(Reference(label, value, style))
    caption = (
        "Joint errors in millimetres on a fixed sample of validation views. Dotted: the constant predictor "
        "and the sampling floor, both on the test set."
    )
    return line_chart(series, caption, "step", references, log_y=True)
