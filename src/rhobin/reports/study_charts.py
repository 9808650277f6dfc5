"""Charts of a sweep as SVG: scores over trials, and settings side by side, a line a trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Protocol

from rhobin.reports.axes import Axis, grid, short
from rhobin.reports.html import plain

WIDE, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 300, 56, 20, 14, 34
TALL, SIDE, HEAD, FOOT = 330, 70, 26, 34
STYLES = {"complete": "body", "pruned": "plain", "running": "plain", "failed": "object"}


class Row(Protocol):
    """What the charts show of a trial, see `TrialRow`."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def values(self) -> Mapping[str, Any]: ...


def history_chart(metric: str, higher_is_better: bool, planned: int, rows: Sequence[Row]) -> str:
    """Scores over trials, with a line through the best so far.

    Args:
        metric: the score's name.
        higher_is_better: whether a larger score is better.
        planned: how many trials there shall be.
        rows: trials by number.

    Returns:
        HTML of a ``figure``.
    """
    known = [row for row in rows if row.value is not None and math.isfinite(row.value)]
    if not known:
        return '<p class="note">No trial has a score yet.</p>'
    y_axis = value_axis([float(row.value or 0.0) for row in known], HEIGHT - BOTTOM, TOP)
    x_axis = Axis(0, max(planned - 1, len(rows) - 1, 10), LEFT, WIDE - RIGHT)
    parts = [*grid(x_axis, y_axis, "trial", HEIGHT), best_line(known, higher_is_better, x_axis, y_axis)]
    parts += [point(row, x_axis, y_axis) for row in known]
    parts += [cross(row, x_axis) for row in rows if row.state == "failed"]
    caption = f"{escape(metric)} of each trial. Filled: complete; hollow: pruned or running, the last score; "
    caption += "crosses: failed. Line: the best complete trial so far."
    return figure(parts, HEIGHT, caption)


def value_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis for scores, logarithmic where they span much."""
    low, high = min(values), max(values)
    if low > 0 and high > 10 * low:
        return Axis(low * 0.9, high * 1.1, start, end, log=True)
    pad = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return Axis(low - pad, high + pad, start, end)


def best_line(rows: Sequence[Row], higher_is_better: bool, x_axis: Axis, y_axis: Axis) -> str:
    """Steps through the best complete trial so far."""
    points, best = [], None
    for row in rows:
        if row.state != "complete" or row.value is None:
            continue
        x = x_axis.pixel(row.number)
        if best is not None:
            points.append(f"{x:.1f},{y_axis.pixel(best):.1f}")
        best = row.value if best is None else max(best, row.value) if higher_is_better else min(best, row.value)
        points.append(f"{x:.1f},{y_axis.pixel(best):.1f}")
    return f'<polyline class="line good" points="{" ".join(points)}"/>'


def point(row: Row, x_axis: Axis, y_axis: Axis) -> str:
    """A trial's score."""
    value = row.value or 0.0
    at = f'cx="{x_axis.pixel(row.number):.1f}" cy="{y_axis.pixel(value):.1f}"'
    style = f"point {STYLES[row.state]}{'' if row.state == 'complete' else ' hollow'}"
    return f'<circle class="{style}" {at} r="4"><title>{told(row)}</title></circle>'


def cross(row: Row, x_axis: Axis) -> str:
    """A failed trial, on the lower edge."""
    x, y = x_axis.pixel(row.number), HEIGHT - BOTTOM
    path = f"M{x - 4:.1f} {y - 4} l8 8 m0 -8 l-8 8"
    return f'<path class="line object" d="{path}"><title>{told(row)}</title></path>'


def told(row: Row) -> str:
    """A trial under the cursor."""
    value = "" if row.value is None else f" {row.value:.6g}"
    settings = "".join(f"\n{key} {_shown(v)}" for key, v in row.values.items())
    return escape(f"trial {row.number}, {row.state}{value}{settings}")


def parallel_chart(
    metric: str, higher_is_better: bool, space: Mapping[str, Mapping[str, Any]], rows: Sequence[Row]
) -> str:
    """An axis a setting and one for the score; a line a trial, the better the stronger, the best one apart.

    Args:
        metric: the score's name.
        higher_is_better: whether a larger score is better.
        space: ranges of the settings, as in configs/sweep.
        rows: trials.

    Returns:
        HTML of a ``figure``.
    """
    shown = [r for r in rows if r.state in ("complete", "pruned") and r.value is not None and math.isfinite(r.value)]
    if not shown:
        return '<p class="note">No trial has a score yet.</p>'
    ranked = sorted(shown, key=lambda r: (r.value or 0.0) * (1 if higher_is_better else -1))
    ranked.sort(key=lambda r: r.state == "complete")  # the best complete trial is drawn last
    across = Axis(0, len(space), SIDE, WIDE - SIDE)
    axes = {key: setting_axis(entry) for key, entry in space.items()}
    scores = value_axis([float(r.value or 0.0) for r in shown], TALL - FOOT, HEAD)
    parts = []
    for place, row in enumerate(ranked):
        ups = [axes[key].pixel(_position(space[key], row.values[key])) for key in space]
        ups.append(scores.pixel(row.value or 0.0))
        points = " ".join(f"{across.pixel(i):.1f},{y:.1f}" for i, y in enumerate(ups))
        strength = 15 + 85 * (place + 1) / len(ranked)
        last = place == len(ranked) - 1
        style = "object" if last else "body" if row.state == "complete" else "plain dash"
        parts.append(
            f'<polyline class="line trial {style}" style="stroke-opacity:{strength:.0f}%" points="{points}">'
            f"<title>{told(row)}</title></polyline>"
        )
    for i, (key, entry) in enumerate(space.items()):
        parts += upright(across.pixel(i), key, axes[key], _labels(entry, axes[key]), i)
    parts += upright(across.pixel(len(space)), metric, scores, [(v, short(v)) for v in scores.ticks()], len(space))
    caption = "A line a trial, the better the stronger; orange: the best; dashed: pruned, with its last score."
    return figure(parts, TALL, caption)


def setting_axis(entry: Mapping[str, Any]) -> Axis:
    """The axis of a setting, upwards."""
    if "choices" in entry:
        return Axis(0, max(len(entry["choices"]) - 1, 1), TALL - FOOT, HEAD)
    return Axis(entry["low"], entry["high"], TALL - FOOT, HEAD, bool(entry.get("log")))


def upright(x: float, name: str, axis: Axis, labels: Sequence[tuple[float, str]], place: int) -> list[str]:
    """A vertical axis with its labels on the left and its name below, names in two rows in turn."""
    parts = [f'<line class="upright" x1="{x:.1f}" x2="{x:.1f}" y1="{axis.end}" y2="{axis.start}"/>']
    parts += [
        f'<text x="{x - 6:.1f}" y="{axis.pixel(value) + 3.5:.1f}" text-anchor="end">{escape(label)}</text>'
        for value, label in labels
    ]
    row = axis.start + 17 + 14 * (place % 2)
    return [*parts, f'<text class="row" x="{x:.1f}" y="{row}" text-anchor="middle">{escape(name)}</text>']


def figure(parts: Sequence[str], height: int, caption: str) -> str:
    """A drawing with its caption."""
    name = escape(plain(caption), quote=True)
    box = f'viewBox="0 0 {WIDE} {height}" role="img" aria-label="{name}"'
    svg = f'<svg class="chart long" {box}>{"".join(parts)}</svg>'
    return f'<figure><div class="plot">{svg}</div><figcaption>{caption}</figcaption></figure>'


def _position(entry: Mapping[str, Any], value: Any) -> float:
    return float(list(entry["choices"]).index(value)) if "choices" in entry else float(value)


def _labels(entry: Mapping[str, Any], axis: Axis) -> list[tuple[float, str]]:
    if "choices" in entry:
        return [(float(i), str(choice)) for i, choice in enumerate(entry["choices"])]
    return [(value, short(value)) for value in axis.ticks()]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
