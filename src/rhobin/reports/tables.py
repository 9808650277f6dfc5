"""Tables of the report as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rhobin.metrics.paper import PaperTable
from rhobin.metrics.track import Column, Track
from rhobin.reports.html import cells, change, meter, table, tag, text

Row = Mapping[str, Any]

TITLES = {
    "constant": "Constant",
    "constant_per_object": "Constant per object",
    "perfect": "Perfect prediction",
}
NARROW = 3
"""Columns of a track up to which a table has room for meters."""
LEFT_OVER, OF_LARGEST = "Left of the constant's [%]", "Of the largest [%]"
"""Heads of columns of meters."""

_MEANS = {
    "joint": "the training set's mean in the body frame",
    "human": "the mean body, facing as people do on average",
    "object": "the mean pose in the crop",
}
_STYLES = {"human": "b", "object": "o"}


def row_title(name: str, method: str, title: str) -> str:
    """What a row is called; `title` is the name for people of the row `method`."""
    return title if name == method else TITLES.get(name, name[:1].upper() + name[1:])


def score_table(track: Track, rows: Mapping[str, Row], method: str, title: str) -> str:
    """Our rows: scores with their intervals, and how far below the constant predictor the leading ones are.

    Args:
        track: whose scores.
        rows: rows of the track in ``scores.json``, in order.
        method: name of the method's row, which is emphasised.
        title: the method's name for people.

    Returns:
        HTML of a table.
    """
    constant = rows.get("constant", {}).get("scores")
    heads = ["Prediction", *(text(column.head) for column in track.columns)]
    if constant:
        heads += [*(f"{column.name} vs constant [%]" for column in _compared(track)), LEFT_OVER]
    heads.append("Frames")
    numbers = [i for i, head in enumerate(heads) if head != LEFT_OVER and i]
    body = "".join(
        tag("tr", *cells("td", shown, numbers), class_="ours" if name == method else "base")
        for name, row in rows.items()
        for shown in [_score_cells(track, name, row, constant, method, title)]
    )
    head = tag("thead", tag("tr", *cells("th", heads, numbers)))
    return tag("div", tag("table", head, tag("tbody", body)), class_="scroll")


def paper_table(printed: PaperTable) -> str:
    """A table of the paper, marked as quoted.

    Args:
        printed: the values as printed.

    Returns:
        HTML of a table.
    """
    quoted = tag("span", "quoted", class_="badge")
    rows = [(text(name) + quoted, *(f"{value:g}" for value in values)) for name, values in printed.rows]
    heads = (f"Table {printed.number} of the paper, on BEHAVE", *map(text, printed.columns))
    return table(heads, rows, range(1, len(heads)), class_="quoted")


def group_table(
    head: str, track: Track, groups: Mapping[str, Row], other: Mapping[str, Row], other_name: str
) -> str:
    """Scores of parts of the test set, and the leading ones of another predictor; meters where there is room.

    Args:
        head: what the parts are.
        track: whose scores.
        groups: scores of the method by part.
        other: scores of the other predictor by part; empty where there is none.
        other_name: its name.

    Returns:
        HTML of a table.
    """
    leads, tops = track.leads, _tops(track, groups)
    narrow = len(track.columns) <= NARROW
    heads = [
        text(head),
        "Frames",
        *(text(column.head) for column in track.columns),
        *([OF_LARGEST] if narrow else []),
    ]
    heads += [text(f"{other_name}: {column.head}") for column in leads] if other else []
    rows = []
    for name, row in groups.items():
        bars = [meter(100 * (row[c.name] or 0) / tops[c.unit], _STYLES[c.part]) for c in leads]
        values = [with_interval(column, row[column.name], row) for column in track.columns]
        beside = other.get(name, {})
        others = [column.shown(beside.get(column.name)) for column in leads] if other else []
        meters = ["".join(bars)] if narrow else []
        rows.append((text(name), text(row["frames"]), *values, *meters, *others))
    return table(heads, rows, [i for i, title in enumerate(heads) if title != OF_LARGEST and i])


def with_interval(column: Column, score: float | None, row: Row) -> str:
    """A score, and its 95 % interval under it where there is one."""
    ends = row.get("intervals", {}).get(column.name)
    return column.shown(score) + (tag("small", text(column.ends_shown(ends))) if ends else "")


def fact_list(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values.

    Args:
        facts: names, and HTML of values.

    Returns:
        HTML of a description list.
    """
    return tag("dl", *(tag("dt", text(k)) + tag("dd", v) for k, v in facts), class_="facts")


def _score_cells(
    track: Track, name: str, row: Row, constant: Row | None, method: str, title: str
) -> tuple[str, ...]:
    scores = row.get("scores", {})
    named = tag("span", text(row_title(name, method, title)), class_="name")
    label = named + tag("small", text(_note(track, name, method)))
    values = [with_interval(column, scores.get(column.name), row) for column in track.columns]
    beside = _against(track, scores, constant) if constant else []
    return (label, *values, *beside, text(row.get("frames", "-")))


def _against(track: Track, scores: Row, constant: Row) -> list[str]:
    """Changes against the constant's scores, and one cell with bars of what is left of them."""
    changes = [change(scores.get(c.name), constant[c.name]) for c in _compared(track)]
    bars = [
        meter(100 * scores[c.name] / constant[c.name], _STYLES[c.part])
        if scores.get(c.name) and constant[c.name]
        else meter(0, _STYLES[c.part])
        for c in track.leads
    ]
    return [*changes, "".join(bars)]


def _compared(track: Track) -> Sequence[Column]:
    """Columns whose change against the constant is written out: those of narrow tables."""
    return track.leads if len(track.columns) <= NARROW else ()


def _note(track: Track, name: str, method: str) -> str:
    if name == "constant":
        return f"{_MEANS[track.name]}, over all objects"
    if name == "constant_per_object":
        return "the same mean, one for each object"
    if name == "perfect":
        floor = ": the metric's sampling floor" if track.floor else ""
        return f"the ground truth itself{floor}"
    return "this run" if name == method else ""


def _tops(track: Track, groups: Mapping[str, Row]) -> dict[str, float]:
    """The largest leading score of each unit."""
    tops: dict[str, float] = {}
    for column in track.leads:
        values = [row[column.name] or 0.0 for row in groups.values()]
        tops[column.unit] = max(tops.get(column.unit, 0.0), *values, 1e-9)
    return tops
