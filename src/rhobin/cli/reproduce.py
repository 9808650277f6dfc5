"""`rhobin reproduce TABLE [size=SIZE]`: train, score and print a table of the report, from nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from rhobin.engine.reproduce import Plan

SIZES = "smoke (seconds; its scores mean nothing), small and long (generated data, CPU), paper (BEHAVE, CUDA)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("table", help="table2, table3, table4 or table5 of the report")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help=f"size={SIZES}, default small; out=FOLDER, default runs/reproduce/TABLE_SIZE; further ones are "
        "overrides of every training, such as data.root=FOLDER; size=paper needs data.body=FOLDER",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands only")


def run(args: argparse.Namespace) -> int:
    """Run the plan and print the table; returns the exit status."""
    from rhobin.engine.reproduce import make_plan
    from rhobin.engine.run_steps import StepError, run_steps
    from rhobin.terminal import plain_console

    console = plain_console()
    given = dict(word.partition("=")[::2] for word in args.settings)
    size, out = given.pop("size", "small"), given.pop("out", None)
    folder = Path(out or f"runs/reproduce/{args.table}_{size}")
    try:
        plan = make_plan(args.table, size, folder, [f"{key}={value}" for key, value in given.items()])
        if args.dry_run:
            console.print("\n".join(map(str, plan.steps)), soft_wrap=True)
            return 0
        run_steps(plan.steps, console)
        print_table(console, plan)
    except StepError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def print_table(console: Console, plan: Plan) -> None:
    """Print the report's rows, ours, what we measured earlier, and where ours come from."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rhobin.engine.reproduced import PROVENANCE, our_rows

    paper, rows = our_rows(plan)
    table = Table(title=f"Table {paper.number}: {paper.title}", title_justify="left", box=SIMPLE_HEAD)
    for head in ("", *paper.columns):
        table.add_column(head, justify="right" if head else "left")
    for name, quoted in paper.rows:
        table.add_row(f"{name} (quoted)", *(f"{value:g}" for value in quoted))
    for row in rows:
        table.add_row(f"{row.name} ({row.kind})", *map(shown, row.values))
        if row.earlier:
            table.add_row("  measured earlier", *map(shown, row.earlier))
    console.print(table)
    for row in rows:
        console.print(f"{row.name}: {row.source}", soft_wrap=True)
        if row.about_earlier:
            console.print(f"  measured earlier: {row.about_earlier}", soft_wrap=True)
    for kind in dict.fromkeys(row.kind for row in rows if row.kind != "measured"):
        console.print(f"Numbers of {kind} say nothing about BEHAVE.", soft_wrap=True)
    console.print(f"commands and sources: {plan.out / PROVENANCE}", soft_wrap=True)


def shown(value: float | None) -> str:
    """A number of the table."""
    return "-" if value is None else f"{value:.4g}"
