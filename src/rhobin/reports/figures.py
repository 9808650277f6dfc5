"""Line charts as SVG that takes its colours from the page, light or dark."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rhobin.reports.axes import Axis, grid, heights, short
from rhobin.reports.html import plain

WIDE, HEIGHT = 540, 290
LEFT, RIGHT, RIGHT_FREE, TOP, BOTTOM = 46, 84, 14, 12, 30


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: what it is called at its end and under the cursor.
        x: positions.
        y: values; NaN where there is none.
        style: CSS classes: ``body``, ``object``, ``plain``, ``good``, and ``dash``.
        shaded: fill the area between the line and the lower edge.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: str
    shaded: bool = False


@dataclass(frozen=True)
class Reference:
    """A horizontal line to compare with; arguments as for `Series`."""

    name: str
    value: float
    style: str


@dataclass(frozen=True)
class Mark:
    """A vertical line at a position, with its name beside it."""

    name: str
    x: float


def line_chart(
    series: Sequence[Series],
    caption: str,
    x_label: str,
    references: Sequence[Reference] = (),
    log_x: bool = False,
    log_y: bool = False,
    from_zero: bool = True,
    size: tuple[int, int] = (WIDE, HEIGHT),
    legend: bool = False,
    marks: Sequence[Mark] = (),
) -> str:
    """A figure with one panel of lines; moving over it reads all of them.

    Args:
        series: the lines.
        caption: HTML under the chart.
        x_label: what the horizontal axis counts.
        references: horizontal lines.
        log_x: logarithmic positions.
        log_y: logarithmic values.
        from_zero: include zero on a linear value axis.
        size: width and height of the drawing.
        legend: name the lines above the chart instead of at their ends.
        marks: vertical lines.

    Returns:
        HTML of a ``figure``.
    """
    xs = [v for s in series for v in s.x]
    ys = [v for s in series for v in s.y if math.isfinite(v)] + [r.value for r in references]
    if not xs or not ys:
        return f'<figure><p class="note">No values.</p><figcaption>{caption}</figcaption></figure>'
    width, height = size
    x_axis = Axis(min(xs), max(xs), LEFT, width - (RIGHT_FREE if legend else RIGHT), log_x)
    low, high = _padded(min(ys), max(ys), log_y, from_zero)
    y_axis = Axis(low, high, height - BOTTOM, TOP, log_y)
    parts = [
        *(_area(s, x_axis, y_axis) for s in series if s.shaded),
        *grid(x_axis, y_axis, x_label, height),
        *(_mark(m, x_axis, y_axis) for m in marks),
        *(_reference(r, x_axis, y_axis) for r in references),
        *(_line(s, x_axis, y_axis) for s in series),
        *([] if legend else _end_labels(series, references, x_axis, y_axis)),
        f'<line class="cursor" x1="0" x2="0" y1="{TOP}" y2="{height - BOTTOM}"/>',
    ]
    data = escape(json.dumps(_readings(series, x_axis, y_axis, x_label, width)), quote=True)
    name = escape(_name(series, caption, x_label), quote=True)
    box = f'viewBox="0 0 {width} {height}" role="img" aria-label="{name}"'
    drawing = (
        f'<div class="plot"><svg class="chart{" long" if width > WIDE else ""}" {box}>{"".join(parts)}</svg>'
        '<div class="read" aria-hidden="true" hidden></div></div>'
    )
    head = _legend(series) if legend else ""
    return f'<figure data-chart="{data}">{head}{drawing}<figcaption>{caption}</figcaption></figure>'


def _name(series: Sequence[Series], caption: str, x_label: str) -> str:
    """What the chart is called where it is read aloud."""
    names = ", ".join(s.name for s in series)
    return f"Chart: {plain(caption).rstrip('.')}. Across: {x_label}. Lines: {names}."


def _padded(low: float, high: float, log: bool, from_zero: bool) -> tuple[float, float]:
    if log:
        return max(low, 1e-9) * 0.9, high * 1.1
    if from_zero and low >= 0:
        return 0.0, high * 1.05 or 1.0
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def _line(series: Series, x_axis: Axis, y_axis: Axis) -> str:
    return f'<polyline class="line {series.style}" points="{" ".join(_points(series, x_axis, y_axis))}"/>'


def _area(series: Series, x_axis: Axis, y_axis: Axis) -> str:
    ends = (f"{x_axis.pixel(x):.1f},{y_axis.start}" for x in (series.x[-1], series.x[0]))
    points = " ".join((*_points(series, x_axis, y_axis), *ends))
    return f'<polygon class="area {series.style}" points="{points}"/>'


def _points(series: Series, x_axis: Axis, y_axis: Axis) -> list[str]:
    pairs = zip(series.x, series.y, strict=True)
    return [f"{x_axis.pixel(x):.1f},{y_axis.pixel(y):.1f}" for x, y in pairs if math.isfinite(y)]


def _mark(mark: Mark, x_axis: Axis, y_axis: Axis) -> str:
    x = x_axis.pixel(mark.x)
    line = f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y_axis.start}" y2="{y_axis.end}"/>'
    return line + f'<text x="{x + 5:.1f}" y="{y_axis.end + 28}">{escape(mark.name)}</text>'


def _legend(series: Sequence[Series]) -> str:
    names = [
        f'<span class="line key-{s.style.replace(" ", " key-")}">{escape(s.name)}</span>' for s in series
    ]
    return f'<div class="keys">{"".join(names)}</div>'


def _reference(reference: Reference, x_axis: Axis, y_axis: Axis) -> str:
    y = f"{y_axis.pixel(reference.value):.1f}"
    return f'<line class="ref {reference.style}" x1="{LEFT}" x2="{x_axis.end}" y1="{y}" y2="{y}"/>'


def _end_labels(
    series: Sequence[Series], references: Sequence[Reference], x_axis: Axis, y_axis: Axis
) -> list[str]:
    wanted = [(y_axis.pixel(_last(s.y)), s.name, s.style) for s in series if math.isfinite(_last(s.y))]
    wanted += [(y_axis.pixel(r.value), r.name, r.style) for r in references]
    labels, previous = [], -math.inf
    for y, name, style in sorted(wanted):
        y = max(y, previous + 12)
        previous = y
        labels.append(
            f'<text class="tag {style}" x="{x_axis.end + 6}" y="{y + 3.5:.1f}">{escape(name)}</text>'
        )
    return labels


def _readings(
    series: Sequence[Series], x_axis: Axis, y_axis: Axis, x_label: str, width: int
) -> dict[str, object]:
    """Every line's value at every position that one of them has."""
    xs = sorted({v for s in series for v in s.x})
    points = [{x: y for x, y in zip(s.x, s.y, strict=True) if math.isfinite(y)} for s in series]
    return {
        "width": width,
        "unit": x_label,
        "x": [short(v if v == int(v) else float(f"{v:.4g}")) for v in xs],
        "pixels": [round(x_axis.pixel(v), 1) for v in xs],
        "series": [
            {"name": s.name, "style": s.style, "y": [_reading(v) for v in heights(known, xs, x_axis, y_axis)]}
            for s, known in zip(series, points, strict=True)
        ],
    }


def _reading(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _last(values: Sequence[float]) -> float:
    return next((v for v in reversed(values) if math.isfinite(v)), math.nan)
