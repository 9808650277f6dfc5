"""Tables of the report as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rhobin.metrics.protocol import PaperTable
from rhobin.reports.html import cells, change, meter, millimetres, table, tag, text

Row = Mapping[str, Any]

DESCRIPTIONS = {
    "constant": ("Constant", "the training set's mean in the body frame, over all objects"),
    "constant_per_object": ("Constant per object", "the same mean, one for each object"),
    "perfect": ("Perfect prediction", "the ground truth itself: the metric's sampling floor"),
}


def score_table(rows: Mapping[str, Row], method: str, title: str) -> str:
    """Our rows: errors, and how far below the constant predictor they are.

    Args:
        rows: rows of ``scores.json``, in order.
        method: name of the method's row, which is emphasised.
        title: the method's name for people.

    Returns:
        HTML of a table.
    """
    heads = (
        "Prediction",
        "SMPL [mm]",
        "Object [mm]",
        "SMPL vs constant",
        "Object vs constant",
        "",
        "Frames",
    )
    numbers = (1, 2, 3, 4, 6)
    body = "".join(
        tag("tr", *cells("td", _score_cells(name, row, rows["constant"], title), numbers), class_=style)
        for name, row in rows.items()
        for style in ["ours" if name == method else "base"]
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


def group_table(head: str, groups: Mapping[str, Row], other: Mapping[str, Row], other_name: str) -> str:
    """Errors of parts of the test set, with meters and a predictor to compare with.

    Args:
        head: what the parts are.
        groups: errors of the method by part.
        other: errors of the other predictor by part.
        other_name: its name.

    Returns:
        HTML of a table.
    """
    top = max((row[key] for row in groups.values() for key in ("smpl_mm", "object_mm")), default=1.0)
    heads = (text(head), "Frames", "SMPL [mm]", "Object [mm]", "", f"{text(other_name)}: SMPL", "object")
    rows = [_group_cells(name, row, other.get(name), top) for name, row in groups.items()]
    return table(heads, rows, (1, 2, 3, 5, 6))


def fact_list(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values.

    Args:
        facts: names, and HTML of values.

    Returns:
        HTML of a description list.
    """
    return tag("dl", *(tag("dt", text(k)) + tag("dd", v) for k, v in facts), class_="facts")


def _score_cells(name: str, row: Row, constant: Row, title: str) -> tuple[str, ...]:
    label, note = DESCRIPTIONS.get(name, (title, "this run: one forward pass a frame"))
    smpl, obj = row["smpl_mm"], row["object_mm"]
    bars = [
        meter(100 * row[key] / constant[key] if row[key] and constant[key] else 0, style)
        for key, style in (("smpl_mm", "b"), ("object_mm", "o"))
    ]
    return (
        tag("span", text(label), class_="name") + tag("small", text(note)),
        millimetres(smpl),
        millimetres(obj),
        change(smpl, constant["smpl_mm"]),
        change(obj, constant["object_mm"]),
        "".join(bars),
        str(row["frames"]),
    )


def _group_cells(name: str, row: Row, other: Row | None, top: float) -> tuple[str, ...]:
    return (
        text(name),
        str(row["frames"]),
        millimetres(row["smpl_mm"]),
        millimetres(row["object_mm"]),
        meter(100 * row["smpl_mm"] / top, "b") + meter(100 * row["object_mm"] / top, "o"),
        millimetres(other["smpl_mm"] if other else None),
        millimetres(other["object_mm"] if other else None),
    )
