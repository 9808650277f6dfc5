"""`rhobin tables --after`: later published results, apart from the challenge's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from rhobin.scoring.measured import MeasuredRow

HEADS = ("human [cm] ↓", "object [cm] ↓", "contact P ↑", "contact R ↑")
WARNING = (
    "Only rows of one protocol compare: VisTracker's numbers of three papers differ by a factor of 2.6. None "
    "belongs beside the challenge's tables 2 to 5. Unverified rows are known from notes, not from the source."
)


def show_later(ours: Sequence[MeasuredRow]) -> None:
    """Print a table for each data set, every row with protocol, source and year, and our rows in another.

    Args:
        ours: rows scored by ``rhobin score joint --protocol contho``.
    """
    from rhobin.metrics.later import LATER
    from rhobin.scoring.measured import MEASURED
    from rhobin.terminal import plain_console

    console = plain_console()
    for dataset, results in LATER.items():
        notes = list(dict.fromkeys((result.protocol, result.source) for result in results))
        table = _table(f"After the challenge: {dataset}, quoted", "year", "note")
        for result in results:
            values = (result.human_cm, result.object_cm, result.precision, result.recall)
            name = result.method if result.verified else f"{result.method}\n(unverified)"
            note = str(notes.index((result.protocol, result.source)) + 1)
            table.add_row(name, *_cells(values), str(result.year), note)
        console.print(table)
        for number, (protocol, source) in enumerate(notes, start=1):
            console.print(f"{number}: protocol {protocol}. Source: {source}.", soft_wrap=True)
    table = _table("Ours, by rhobin score joint --protocol contho")
    for row in ours:
        table.add_row(f"{row.name}\n({row.kind})", *_cells(row.values))
    if not ours:
        table.add_row("ours", "not run", *[""] * (len(HEADS) - 1))
    console.print(table)
    for row in ours:
        console.print(f"{row.name}: {row.source}", soft_wrap=True)
    for kind in dict.fromkeys(row.kind for row in ours if row.kind != MEASURED):
        console.print(f"Numbers of {kind} say nothing about BEHAVE.", soft_wrap=True)
    console.print(WARNING, soft_wrap=True)


def _table(title: str, *more: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in ("", *HEADS, *more):
        table.add_column(head, justify="right" if head else "left")
    return table


def _cells(values: Iterable[float | None]) -> list[str]:
    """Two distances in centimetres and two shares; a dash where there is none."""
    forms = (".2f", ".2f", ".3f", ".3f")
    pairs = zip(values, forms, strict=True)
    return ["-" if value is None else format(value, form) for value, form in pairs]
