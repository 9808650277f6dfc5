"""Horizontal bars as SVG: one row a joint or part, its left and its right side under each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rhobin.reports.axes import Axis, short
from rhobin.reports.html import plain

WIDTH, NAMES, VALUES = 540, 96, 44
"""Pixels: of the drawing, of the names before the bars, and of the values behind them."""
BAR, ROW_GAP, HEAD = 11, 7, 4
LETTERS = {"left": "L", "right": "R", "": ""}


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        side: left, right, or empty for what has no sides.
        value: its length.
        beside: a value to compare with, shown as a tick; None for none.
    """

    side: str
    value: float
    beside: float | None = None


def by_side(values: Mapping[str, float], beside: Mapping[str, float]) -> dict[str, list[Bar]]:
    """Bars of what is named `left_NAME`, `right_NAME` or `NAME`, by NAME in the order of `values`."""
    rows: dict[str, list[Bar]] = {}
    for name, value in values.items():
        first, _, rest = name.partition("_")
        side, name_of = (first, rest) if first in ("left", "right") else ("", name)
        rows.setdefault(name_of, []).append(Bar(side, value, beside.get(name)))
    return rows


def bar_chart(rows: Mapping[str, Sequence[Bar]], caption: str, unit: str) -> str:
    """A figure with bars from zero.

    Args:
        rows: bars by the name of their row.
        caption: HTML under the chart.
        unit: of the values.

    Returns:
        HTML of a ``figure``.
    """
    known = [v for bars in rows.values() for bar in bars for v in (bar.value, bar.beside) if v is not None]
    axis = Axis(0.0, max(known, default=0.0) or 1.0, NAMES, WIDTH - VALUES)
    parts, top = [], HEAD
    for name, bars in rows.items():
        middle = top + len(bars) * BAR / 2
        parts.append(f'<text class="row" x="0" y="{middle + 4}">{escape(name)}</text>')
        for bar in bars:
            parts.append(_bar(bar, axis, top))
            top += BAR
        top += ROW_GAP
    drawing = "".join([*_grid(axis, top, unit), *parts])
    height = top + 32
    name = f"Bars: {plain(caption).rstrip('.')}, in {unit}. Rows: {', '.join(rows)}."
    box = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name, quote=True)}"'
    svg = f'<svg class="chart bars" {box}>{drawing}</svg>'
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _bar(bar: Bar, axis: Axis, top: float) -> str:
    end, low = axis.pixel(bar.value), top + BAR - 2
    letter = f'<text class="side" x="{axis.start - 4}" y="{low}" text-anchor="end">{LETTERS[bar.side]}</text>'
    width = f'width="{end - axis.start:.1f}" height="{BAR - 2}"'
    drawn = f'<rect class="bar {bar.side}" x="{axis.start}" y="{top}" {width} rx="1.5"/>'
    if bar.beside is not None:
        tick = axis.pixel(bar.beside)
        at = f'x1="{tick:.1f}" x2="{tick:.1f}" y1="{top - 0.5}" y2="{top + BAR - 1.5}"'
        drawn += f'<line class="beside" {at}/>'
        end = tick if end - 2 < tick < end + VALUES else end
    return letter + drawn + f'<text x="{end + 4:.1f}" y="{low}">{bar.value:.1f}</text>'


def _grid(axis: Axis, bottom: float, unit: str) -> list[str]:
    parts = []
    for value in axis.ticks():
        x = f"{axis.pixel(value):.1f}"
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{HEAD}" y2="{bottom}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 13}" text-anchor="middle">{short(value)}</text>')
    middle = (axis.start + axis.end) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 28}" text-anchor="middle">error [{escape(unit)}]</text>')
    return parts
