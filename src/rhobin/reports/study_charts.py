"""The history of a sweep as SVG: a point a trial, and a line through the best so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rhobin.reports.axes import Axis, grid
from rhobin.reports.html import plain

WIDE, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 300, 56, 20, 14, 34
STYLES = {"complete": "body", "pruned": "plain", "running": "plain", "failed": "object"}


@dataclass(frozen=True)
class TrialRow:
    """A trial.

    Attributes:
        number: its number.
        state: complete, pruned, failed or running.
        value: its score, of a trial that is not complete the last; None where there is none.
        seconds: of training; None where that is unknown.
        reason: why it is pruned or failed.
        values: of the searched settings.
    """

    number: int
    state: str
    value: float | None
    seconds: float | None
    reason: str
    values: Mapping[str, Any]


def history_chart(metric: str, higher_is_better: bool, planned: int, rows: Sequence[TrialRow]) -> str:
    """Scores over trials, with a line through the best so far.

    Args:
        metric: the score's name.
        higher_is_better: whether a larger score is better.
        planned: how many trials there shall be.
        rows: trials by number.

    Returns:
        HTML of a ``figure``.
    """
    known = scored(rows)
    if not known:
        return '<p class="note">No trial has a score yet.</p>'
    y_axis = value_axis([float(row.value or 0.0) for row in known], HEIGHT - BOTTOM, TOP)
    x_axis = Axis(0, max(planned - 1, len(rows) - 1, 1), LEFT, WIDE - RIGHT, whole=True)
    parts = [*grid(x_axis, y_axis, "trial", HEIGHT), best_line(known, higher_is_better, x_axis, y_axis)]
    parts += [point(row, x_axis, y_axis) for row in known]
    parts += [cross(row, x_axis) for row in rows if row.state == "failed"]
    caption = f"{escape(metric)} of each trial. Filled: complete; hollow: pruned or running, the last score; "
    caption += "crosses: failed. Line: the best complete trial so far."
    return figure(parts, HEIGHT, caption)


def scored(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Trials that have a score."""
    return [row for row in rows if row.value is not None and math.isfinite(row.value)]


def value_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis for scores, logarithmic where they span much."""
    low, high = min(values), max(values)
    if low > 0 and high > 10 * low:
        return Axis(low * 0.9, high * 1.1, start, end, log=True)
    pad = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return Axis(low - pad, high + pad, start, end)


def best_line(rows: Sequence[TrialRow], higher_is_better: bool, x_axis: Axis, y_axis: Axis) -> str:
    """Steps through the best complete trial so far."""
    points, best, choose = [], None, max if higher_is_better else min
    for row in rows:
        if row.state != "complete" or row.value is None:
            continue
        x = x_axis.pixel(row.number)
        if best is not None:
            points.append(f"{x:.1f},{y_axis.pixel(best):.1f}")
        best = row.value if best is None else choose(best, row.value)
        points.append(f"{x:.1f},{y_axis.pixel(best):.1f}")
    return f'<polyline class="line good" points="{" ".join(points)}"/>'


def point(row: TrialRow, x_axis: Axis, y_axis: Axis) -> str:
    """A trial's score."""
    value = row.value or 0.0
    at = f'cx="{x_axis.pixel(row.number):.1f}" cy="{y_axis.pixel(value):.1f}"'
    style = f"point {STYLES[row.state]}{'' if row.state == 'complete' else ' hollow'}"
    return f'<circle class="{style}" {at} r="4"><title>{told(row)}</title></circle>'


def cross(row: TrialRow, x_axis: Axis) -> str:
    """A failed trial, on the lower edge."""
    x, y = x_axis.pixel(row.number), HEIGHT - BOTTOM
    path = f"M{x - 4:.1f} {y - 4} l8 8 m0 -8 l-8 8"
    return f'<path class="line object" d="{path}"><title>{told(row)}</title></path>'


def told(row: TrialRow) -> str:
    """A trial under the cursor."""
    value = "" if row.value is None else f" {row.value:.6g}"
    settings = "".join(f"\n{key} {shown(v)}" for key, v in row.values.items())
    return escape(f"trial {row.number}, {row.state}{value}{settings}")


def figure(parts: Sequence[str], height: int, caption: str) -> str:
    """A drawing with its caption."""
    name = escape(plain(caption), quote=True)
    box = f'viewBox="0 0 {WIDE} {height}" role="img" aria-label="{name}"'
    svg = f'<svg class="chart long" {box}>{"".join(parts)}</svg>'
    return f'<figure><div class="plot">{svg}</div><figcaption>{caption}</figcaption></figure>'


def shown(value: Any) -> str:
    """A value of a setting, a number in four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
