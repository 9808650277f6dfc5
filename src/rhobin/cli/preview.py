"""`rhobin preview experiment=NAME | run=RUN [OVERRIDE ...]`: what training will see, as a picture.

With a run: what its trained network draws of training and validation views, beside the truth.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rhobin.cli.numbers import at_least


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="as for train.py: experiment=khor/synthetic data.augment.colour_set=g2dr ...; "
        "or as for eval.py: run=RUN checkpoint=last ..., for what a trained network draws beside the truth",
    )
    parser.add_argument(
        "--out", type=Path, help="picture to write (default: runs/preview/NAME.png, or preview.png in RUN)"
    )
    parser.add_argument("--samples", type=at_least(1), default=6, help="views, one row each (default: 6)")
    parser.add_argument(
        "--epochs", type=at_least(1), default=4, help="epochs, one column each (default: 4); not with run="
    )
    parser.add_argument(
        "--first", type=at_least(0), default=0, metavar="EPOCH", help="first epoch (default: 0)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the picture and print its path; returns the exit status."""
    from rhobin.engine.preview import preview, preview_run

    try:
        if any(override.startswith("run=") for override in args.overrides):
            path = preview_run(args.overrides, args.out, args.samples, args.first)
        else:
            path = preview(args.overrides, args.out, args.samples, args.epochs, args.first)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0
