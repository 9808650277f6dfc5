"""`rhobin compare RUN [OTHER]`: how far scores, and a lead over another run, depend on the test sequences."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rhobin.cli.numbers import at_least

if TYPE_CHECKING:
    from rich.table import Table

    from rhobin.scoring.compare import Comparison


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="a scored run, or what rhobin score wrote")
    parser.add_argument("other", type=Path, nargs="?", help="another, scored on the same data")
    parser.add_argument(
        "--track", choices=("human", "object", "joint"), default="object", help="whose scores"
    )
    parser.add_argument(
        "--joints-visible-below",
        type=float,
        metavar="SHARE",
        help="only frames that show a smaller share of the person's joints (joints_visible of frames.csv)",
    )
    parser.add_argument("--draws", type=at_least(100), default=10_000, help="resampled test sets")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")


def run(args: argparse.Namespace) -> int:
    """Print the table; returns the exit status."""
    from rhobin.scoring.compare import compare, read_frame_scores
    from rhobin.terminal import plain_console

    places = [place for place in (args.run, args.other) if place is not None]
    try:
        found = compare(
            tuple(read_frame_scores(place, args.track, args.joints_visible_below) for place in places),
            args.draws,
            args.seed,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    console = plain_console()
    console.print(comparison_table(args.track, [place.name for place in places], found))
    console.print(
        f"{found.frames} frames of {found.sequences} sequences. ± is the standard deviation, 95 % the "
        f"interval of the {'difference' if found.difference else 'score'}, over {args.draws} test sets of as "
        "many sequences drawn with replacement. Training again with another seed varies beyond that.",
        soft_wrap=True,
    )
    if found.left_out:
        console.print(f"{found.left_out} frames that only one of the runs predicts are left out.")
    return 0


def comparison_table(track: str, names: list[str], found: Comparison) -> Table:
    """Scores of one or two runs, with their spread; see `rhobin.scoring.compare`."""
    from rich.table import Table

    from rhobin.metrics.tracks import TRACKS

    shown = [*found.runs, *([found.difference] if found.difference else [])]
    heads = [*names, *([f"{names[1]} - {names[0]}"] if found.difference else [])]
    table = Table(title=TRACKS[track].title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in ("", *heads, "95 %"):
        table.add_column(head, justify="right" if head else "left")
    for name in found.runs[0]:
        column = TRACKS[track].column(name)
        cells = (f"{column.shown(of[name].value)} ± {column.shown(of[name].deviation)}" for of in shown)
        last = shown[-1][name]
        interval = f"{column.shown(last.low)} to {column.shown(last.high)}"
        table.add_row(column.head, *cells, interval)
    return table
