"""`rhobin plan experiment=NAME [OVERRIDE ...]`: what a training takes, before a GPU is used."""

from __future__ import annotations

import argparse
import json
import sys

from rhobin.cli.numbers import at_least


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "overrides",
        nargs="+",
        metavar="OVERRIDE",
        help="as for train.py: experiment=khor/paper data.batch_size=24 ...",
    )
    parser.add_argument(
        "--views",
        type=at_least(1),
        help="training views of each stage (default: counted where the data are here, else as documented)",
    )
    parser.add_argument("--json", action="store_true", help="print numbers for programs")


def run(args: argparse.Namespace) -> int:
    """Print the plan; returns the exit status."""
    from rhobin.cli.plan_tables import tables
    from rhobin.engine.planning.plan import plan
    from rhobin.terminal import plain_console

    try:
        found = plan(
            args.overrides, args.views, lambda stage: print(f"planning {stage} ...", file=sys.stderr)
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    console = plain_console()
    for part in tables(found):
        console.print(part)
    return 0
