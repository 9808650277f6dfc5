"""`rhobin report RUN`: write a scored run's page again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="run folder, scored by eval.py")
    parser.add_argument("--data", type=Path, help="dataset root; by default where the run was scored")
    parser.add_argument("--body", type=Path, help="folder of licensed SMPL-H files; the stand-in by default")


def run(args: argparse.Namespace) -> int:
    """Write ``report.html``; returns the exit status."""
    from rhobin.reports.page import write_report
    from rhobin.scoring.challenge import read_challenge

    try:
        data = args.data or scored_data(args.run)
        page = write_report(args.run, data, read_challenge(data, args.body, beside=False, centred=True))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page)
    return 0


def scored_data(run_dir: Path) -> Path:
    """Root of the data that a run was scored on."""
    from rhobin.scoring.document import SCORES, read_document

    return Path(read_document(run_dir / SCORES)["origin"]["data"]["root"])
