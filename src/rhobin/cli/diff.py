"""`rhobin diff RUN RUN`: in what two runs differ, from their configs to their scores of single frames."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from rhobin.engine.run_diff import CurvePoint, RunDiff

DIFFERENCES = {
    "config": "Config, what decides the result",
    "free": "Config, what does not",
    "data": "Data",
    "environment": "Environment",
}
"""Headings of a difference's parts."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("runs", type=Path, nargs=2, metavar="RUN", help="run folder")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a page with the curves there")


def run(args: argparse.Namespace) -> int:
    """Print what differs; returns the exit status."""
    from rhobin.engine.run_diff import run_diff
    from rhobin.terminal import plain_console

    folders = tuple(args.runs)
    try:
        found = run_diff(folders)
        print_diff(plain_console(), names_of(folders), found)
        if args.out:
            write_page(args.out, folders, found)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def names_of(folders: tuple[Path, Path]) -> tuple[str, str]:
    """Short names of two runs: those of their folders, or the paths where these are equal."""
    first, second = (folder.resolve().name for folder in folders)
    return (first, second) if first != second else (str(folders[0]), str(folders[1]))


def print_diff(console: Console, names: tuple[str, str], found: RunDiff) -> None:
    """Print every part of a difference."""
    from rhobin.cli.compare import comparison_table

    for part, title in DIFFERENCES.items():
        values = getattr(found, part)
        if values:
            console.print(value_table(title, names, values))
        elif part != "free":
            console.print(f"{title}: no difference\n")
    if found.curves:
        console.print(curve_table(names, found.curves))
    for track, comparison in found.scores.items():
        console.print(comparison_table(track, list(names), comparison))
        console.print(
            f"{comparison.frames} frames of {comparison.sequences} sequences; 95 % interval of the paired "
            "difference over other test sequences, and its p-value.\n",
            soft_wrap=True,
        )
    for track, reason in found.unscored.items():
        console.print(
            f"no comparison of {f'the {track} track' if track else 'scores'}: {reason}", soft_wrap=True
        )


def value_table(title: str, names: tuple[str, str], values: dict[str, tuple[str, str]]) -> Table:
    """Values of both runs by key."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in ("", *names):
        table.add_column(head, overflow="fold")
    for key, pair in values.items():
        table.add_row(key, *pair)
    return table


def curve_table(names: tuple[str, str], points: list[CurvePoint]) -> Table:
    """Logged numbers of both runs at the last common step; of the monitored score the best ones too."""
    rows = {}
    for point in points:
        if point.best:
            rows[f"{point.name}, best"] = short(point.best)
        rows[f"{point.name} at step {point.step}"] = short(point.values)
    return value_table("Training", names, rows)


def short(values: tuple[float, float]) -> tuple[str, str]:
    """Two numbers in four digits."""
    return f"{values[0]:.4g}", f"{values[1]:.4g}"


def write_page(path: Path, folders: tuple[Path, Path], found: RunDiff) -> None:
    """Write the page and say where."""
    from rhobin.engine.run_diff import logs_of
    from rhobin.files import write_text
    from rhobin.reports.run_diff_page import run_diff_page

    monitored = next((point.name for point in found.curves if point.best), None)
    parts = {title: getattr(found, part) for part, title in DIFFERENCES.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, run_diff_page(names_of(folders), parts, logs_of(folders), monitored, found.scores))
    print(path)
