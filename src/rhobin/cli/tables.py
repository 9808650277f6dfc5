"""`rhobin tables [PLACE ...]`: the paper's tables 2 to 5, or later results, quoted, with our rows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "places",
        type=Path,
        nargs="*",
        help="folders with scores.json (runs, or what rhobin score wrote); by default those under runs/",
    )
    parser.add_argument(
        "--after",
        action="store_true",
        help="later published results on BEHAVE and InterCap instead, and our rows by --protocol contho",
    )


def run(args: argparse.Namespace) -> int:
    """Print the tables; returns the exit status."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rhobin.cli.later_tables import show_later
    from rhobin.metrics.paper import TABLE_2, TABLE_3, TABLE_4, TABLE_5
    from rhobin.scoring.measured import MEASURED, contho_rows, measured_rows
    from rhobin.terminal import plain_console

    try:
        places = args.places or sorted(path.parent for path in Path("runs").glob("**/scores.json"))
        rows = contho_rows(places) if args.after else measured_rows(places)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.after:
        show_later(rows)
        return 0
    console = plain_console()
    for printed in (TABLE_2, TABLE_3, TABLE_4, TABLE_5):
        title, narrow = f"Table {printed.number}: {printed.title}", (0, 1, 0, 0)
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=narrow)
        for head in ("", *printed.columns):
            table.add_column(head, justify="right" if head else "left", min_width=0 if head else 10)
        for name, values in printed.rows:
            table.add_row(f"{name}\n(quoted)", *(f"{value:g}" for value in values))
        ours = [row for row in rows if row.table == printed.number]
        for row in ours:
            shown = ("-" if value is None else f"{value:.4g}" for value in row.values)
            table.add_row(f"{row.name}\n({row.kind})", *shown)
        if not ours:
            table.add_row("ours", *(["not run"] + [""] * (len(printed.columns) - 1)))
        console.print(table)
        for row in ours:
            console.print(f"{row.name}: {row.source}", soft_wrap=True)
        for kind in dict.fromkeys(row.kind for row in ours if row.kind != MEASURED):
            console.print(f"Numbers of {kind} say nothing about BEHAVE.", soft_wrap=True)
    return 0
