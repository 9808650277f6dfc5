"""`rhobin runs [FOLDER ...]`: every run with its state, step, scores and time left."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhobin.engine.runs import RunState

HEADS = ("run", "state", "step", "validation", "test", "took", "left")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "places", type=Path, nargs="*", default=[Path("runs")], help="folders of runs (default: runs)"
    )


def run(args: argparse.Namespace) -> int:
    """Print one row for each run; returns the exit status."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rhobin.engine.runs import run_states
    from rhobin.terminal import plain_console

    try:
        found = run_states(args.places)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    console = plain_console()
    if not found:
        console.print(f"no run in {', '.join(map(str, args.places))}; train one: make demo")
        return 0
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in HEADS:
        table.add_column(
            head, overflow="fold", justify="right" if head in ("step", "took", "left") else "left"
        )
    for one in found:
        table.add_row(*cells(one))
    console.print(table)
    if any(one.state == "killed" for one in found):
        console.print("A killed run goes on with the command that began it and resume=auto.")
    return 0


def cells(one: RunState) -> tuple[str, ...]:
    """A run's row."""
    pruned = one.state.startswith("pruned:")  # the study's page says why
    state = "pruned" if pruned else one.state
    best = "-" if one.best is None else f"{one.best:.4g}"
    best += "" if one.reference is None else f" (measured earlier: {one.reference:.4g})"
    return (
        str(one.folder),
        f"{state}, {one.holder}" if one.holder else state,
        f"{one.step}/{one.total or '?'}",
        f"{one.monitor.name.removeprefix('val/')} {best}" if one.monitor else "-",
        "\n".join(one.tests) or "not scored",
        duration(one.seconds),
        "" if one.seconds_left is None else duration(one.seconds_left),
    )


def duration(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
