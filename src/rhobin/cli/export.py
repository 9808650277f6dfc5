"""`rhobin export RUN DIR`: what people share of a run; `rhobin predict` takes DIR in place of RUN."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="run folder written by train.py")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write, new or empty")
    parser.add_argument(
        "--checkpoint", choices=("best", "last"), default="best", help="whose weights (default: best)"
    )
    parser.add_argument(
        "--data", type=Path, help="root of the training data, which the card describes (default: the run's)"
    )
    parser.add_argument(
        "--body", type=Path, help="folder of the SMPL-H files that training had (default: the run's)"
    )
    parser.add_argument(
        "--program",
        action="store_true",
        help="also write model.pt2: the network alone, by torch.export, which runs without rhobin",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="a package of your own whose classes the run's config may name",
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder and say what is in it; returns the exit status."""
    from rhobin.engine.export import export_run

    try:
        card = export_run(
            args.run, args.folder, args.checkpoint, args.data, args.body, args.program, args.trust
        )
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in sorted(args.folder.iterdir()):
        if path.is_file():
            print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    licence = card["licence"].get("license_name", card["licence"]["license"])
    print(f"licence as the card says it: {licence}. Read README.md before you share the folder.")
    if card["state"] != "finished":
        print(f"note: the training was not finished (state: {card['state']}); the card says so")
    if not card["scores"]:
        print(f"note: this checkpoint was not scored; first score it with: python eval.py run={args.run}")
    return 0
