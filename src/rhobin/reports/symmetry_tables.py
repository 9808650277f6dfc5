"""The report's symmetric objects beside asymmetric ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rhobin.metrics.tracks import OBJECT
from rhobin.reports.html import DASH, table, tag, text
from rhobin.reports.tables import with_interval
from rhobin.scoring.symmetric import ASYMMETRIC, SYMMETRIC

_RECALLS = [column for column in OBJECT.columns if column.higher_is_better]
_KINDS = (SYMMETRIC, ASYMMETRIC)


def symmetry_tables(split: Mapping[str, Any]) -> str:
    """Symmetric and asymmetric objects at equal size and visibility, and balls apart.

    Args:
        split: ``by_symmetry`` of a row of the object track in ``scores.json``.

    Returns:
        HTML; empty where no cell has both kinds and there are no balls.
    """
    parts = []
    if split["matched"]:
        cells = tag("p", "Each cell with frames of both:", class_="note")
        parts += [_intro(split), _matched(split["matched"]), cells, _cells(split["cells"])]
    if split["balls"]:
        parts.append(_balls(split["objects"]["ball"], split["balls"]))
    return tag("h3", "Symmetric and asymmetric objects") + "".join(parts) if parts else ""


def _intro(split: Mapping[str, Any]) -> str:
    symmetric, asymmetric = (", ".join(split["objects"][kind]) for kind in _KINDS)
    told = (
        f"Symmetric: {symmetric}. Asymmetric: {asymmetric}. Only cells of size and visibility with frames of "
        "both count, with the same weight for both kinds. The deviation is that of the difference when "
        "sequences are drawn anew."
    )
    return tag("p", text(told))


def _matched(matched: Mapping[str, Any]) -> str:
    heads = ("At equal size and visibility", "Frames", *(column.name for column in _RECALLS))
    rows = [
        (
            kind.capitalize(),
            text(matched["frames"][kind]),
            *(c.shown(matched[kind][c.name]) for c in _RECALLS),
        )
        for kind in _KINDS
    ]
    gaps = [(matched["difference"][c.name], matched["deviation"][c.name]) for c in _RECALLS]
    rows.append(("Difference", "", *(f"{gap:+.3f} &plusmn; {_number(spread)}" for gap, spread in gaps)))
    return table(heads, rows, range(1, len(heads)))


def _cells(cells: Sequence[Mapping[str, Any]]) -> str:
    heads = ("Diameter, visible part", "Kind", "Frames", *(text(column.head) for column in OBJECT.columns))
    rows = []
    for cell in cells:
        name = text(f"{cell['size']}, {cell['visible']}")
        for kind in _KINDS:
            of = cell[kind]
            shown = (with_interval(column, of[column.name], of) for column in OBJECT.columns)
            rows.append((name if kind == _KINDS[0] else "", kind, text(of["frames"]), *shown))
    return table(heads, rows, range(2, len(heads)))


def _balls(names: Sequence[str], scores: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{column.head} {column.shown(scores[column.name])}" for column in OBJECT.columns)
    told = (
        f"Balls ({', '.join(names)}, {scores['frames']} frames): {shown}. The rotations listed for them "
        f"leave a random orientation {scores['left_over_deg']:.1f} degrees off on average, so RE and its "
        "recall say little of a ball."
    )
    return tag("p", text(told), class_="note")


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"
