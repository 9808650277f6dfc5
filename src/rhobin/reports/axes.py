"""Axes of charts: from values to pixels, round ticks, and the grid behind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np


@dataclass(frozen=True)
class Axis:
    """How values become pixels.

    Attributes:
        low: first value.
        high: last value.
        start: pixel of the first value.
        end: pixel of the last value.
        log: logarithmic.
        whole: of whole numbers, so that no tick lies between two.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    def pixel(self, value: float) -> float:
        """Where a value lies."""
        low, high, value = (self._scaled(v) for v in (self.low, self.high, value))
        return self.start + (value - low) / ((high - low) or 1.0) * (self.end - self.start)

    def value(self, pixel: float) -> float:
        """What lies at a pixel."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = low + (pixel - self.start) / (self.end - self.start) * (high - low)
        return 10.0**value if self.log else value

    def ticks(self) -> list[float]:
        """Round values inside the range, no closer than their labels need."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            fine = [m * 10.0**d for d in decades for m in (1, 2, 5) if self.low <= m * 10.0**d <= self.high]
            coarse = [v for v in fine if f"{v:e}".startswith("1")]
            return fine if len(fine) <= abs(self.end - self.start) / 25 or len(coarse) < 2 else coarse
        step = _round_step((self.high - self.low) / max(2, abs(self.end - self.start) // 45))
        step = max(step, 1.0) if self.whole else step
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value


def grid(x_axis: Axis, y_axis: Axis, x_label: str, height: int) -> list[str]:
    """Lines and numbers of both axes, horizontal lines only, and the name of the horizontal axis."""
    bottom = y_axis.start
    parts = []
    for value in y_axis.ticks():
        y = y_axis.pixel(value)
        parts.append(f'<line class="grid" x1="{x_axis.start}" x2="{x_axis.end}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{x_axis.start - 7}" y="{y + 3.5:.1f}" text-anchor="end">{short(value)}</text>'
        )
    for value in x_axis.ticks():
        x = x_axis.pixel(value)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{short(value)}</text>')
    parts.append(f'<line class="axis" x1="{x_axis.start}" x2="{x_axis.end}" y1="{bottom}" y2="{bottom}"/>')
    middle = (x_axis.start + x_axis.end) / 2
    parts.append(f'<text x="{middle}" y="{height - 1}" text-anchor="middle">{escape(x_label)}</text>')
    return parts


def heights(points: Mapping[float, float], at: Sequence[float], x_axis: Axis, y_axis: Axis) -> list[float]:
    """Where a line drawn through points lies at other positions: straight between them on the paper.

    Args:
        points: finite values by position.
        at: positions.
        x_axis: that the line is drawn over.
        y_axis: of its values.

    Returns:
        A value for each position, NaN before the first point and after the last.
    """
    known = sorted(points)
    across, up = [x_axis.pixel(x) for x in known], [y_axis.pixel(points[x]) for x in known]
    wanted = [x_axis.pixel(x) for x in at]
    drawn = np.interp(wanted, across, up, math.nan, math.nan) if known else [math.nan] * len(at)
    return [points.get(x, y_axis.value(float(y))) for x, y in zip(at, drawn, strict=True)]


def short(value: float) -> str:
    """A number of an axis."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:.6g}"


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next(m * power for m in (1, 2, 5, 10) if m * power >= raw - 1e-12)
