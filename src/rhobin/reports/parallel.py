"""Settings and score of trials side by side as SVG: an axis a setting, a line a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rhobin.reports.axes import Axis, short
from rhobin.reports.study_charts import WIDE, TrialRow, figure, scored, told, value_axis

HEIGHT, SIDE, TOP, BOTTOM = 330, 70, 26, 34
NOTHING = '<p class="note">No trial has a score yet.</p>'
CAPTION = "A line a trial, the better the stronger; orange: the best; dashed: pruned, with its last score."

Space = Mapping[str, Mapping[str, Any]]


def parallel_chart(metric: str, higher_is_better: bool, space: Space, rows: Sequence[TrialRow]) -> str:
    """An axis a setting and one for the score; a line a trial, the better the stronger.

    Args:
        metric: the score's name.
        higher_is_better: whether a larger score is better.
        space: ranges of the settings, as in configs/sweep.
        rows: trials.

    Returns:
        HTML of a ``figure``.
    """
    ranked = worst_first(rows, higher_is_better)
    if not ranked:
        return NOTHING
    across = Axis(0, len(space), SIDE, WIDE - SIDE)
    axes = {key: setting_axis(entry) for key, entry in space.items()}
    scores = value_axis([float(row.value or 0.0) for row in ranked], HEIGHT - BOTTOM, TOP)
    parts = []
    for place, row in enumerate(ranked, start=1):
        ups = [axes[key].pixel(position(space[key], row.values[key])) for key in space]
        ups.append(scores.pixel(row.value or 0.0))
        points = [f"{across.pixel(i):.1f},{up:.1f}" for i, up in enumerate(ups)]
        parts.append(line(row, points, place / len(ranked)))
    for i, (key, entry) in enumerate(space.items()):
        parts += upright(across.pixel(i), key, axes[key], labels(entry, axes[key]), i)
    ticks = [(value, short(value)) for value in scores.ticks()]
    parts += upright(across.pixel(len(space)), metric, scores, ticks, len(space))
    return figure(parts, HEIGHT, CAPTION)


def worst_first(rows: Sequence[TrialRow], higher_is_better: bool) -> list[TrialRow]:
    """Pruned trials, then complete ones, each from the worst to the best, which is drawn last."""
    sign = 1.0 if higher_is_better else -1.0
    shown = [row for row in scored(rows) if row.state in ("complete", "pruned")]
    return sorted(shown, key=lambda row: (row.state == "complete", sign * (row.value or 0.0)))


def line(row: TrialRow, points: Sequence[str], place: float) -> str:
    """A trial's line, as strong as its place among all: above 0, and 1 for the best."""
    complete = "object" if place == 1 else "body"
    style = complete if row.state == "complete" else "plain dash"
    strength = f"stroke-opacity:{15 + 85 * place:.0f}%"
    drawn = f'<polyline class="line trial {style}" style="{strength}" points="{" ".join(points)}">'
    return f"{drawn}<title>{told(row)}</title></polyline>"


def setting_axis(entry: Mapping[str, Any]) -> Axis:
    """The axis of a setting, upwards."""
    if "choices" in entry:
        return Axis(0, max(len(entry["choices"]) - 1, 1), HEIGHT - BOTTOM, TOP)
    return Axis(entry["low"], entry["high"], HEIGHT - BOTTOM, TOP, bool(entry.get("log")))


def position(entry: Mapping[str, Any], value: Any) -> float:
    """Where a value lies on the axis of its setting: a choice at its place among all."""
    return float(list(entry["choices"]).index(value)) if "choices" in entry else float(value)


def labels(entry: Mapping[str, Any], axis: Axis) -> list[tuple[float, str]]:
    """What is written on the axis of a setting, and where."""
    if "choices" in entry:
        return [(float(place), str(choice)) for place, choice in enumerate(entry["choices"])]
    return [(value, short(value)) for value in axis.ticks()]


def upright(x: float, name: str, axis: Axis, marks: Sequence[tuple[float, str]], place: int) -> list[str]:
    """A vertical axis with its labels on the left and its name below, names in two rows in turn."""
    parts = [f'<line class="upright" x1="{x:.1f}" x2="{x:.1f}" y1="{axis.end}" y2="{axis.start}"/>']
    parts += [
        f'<text x="{x - 6:.1f}" y="{axis.pixel(value) + 3.5:.1f}" text-anchor="end">{escape(label)}</text>'
        for value, label in marks
    ]
    row = axis.start + 17 + 14 * (place % 2)
    return [*parts, f'<text class="row" x="{x:.1f}" y="{row}" text-anchor="middle">{escape(name)}</text>']
