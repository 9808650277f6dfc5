"""`rhobin report RUN`: write a scored run's page again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="run folder, scored by eval.py")
    parser.add_argument("--data", type=Path, help="dataset root; by default where the run was scored")
    parser.add_argument("--body", type=Path, help="folder of SMPL-H files; by default that of the score")


def run(args: argparse.Namespace) -> int:
    """Write ``report.html``; returns the exit status."""
    from rhobin.reports.page import write_report
    from rhobin.scoring.challenge import read_challenge

    try:
        data, body = args.data or scored_data(args.run), args.body or scored_body(args.run)
        page = write_report(args.run, data, read_challenge(data, body, beside=False, centred=True))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page)
    return 0


def scored_data(run_dir: Path) -> Path:
    """Root of the data that a run was scored on."""
    from rhobin.scoring.document import SCORES, read_document

    return Path(read_document(run_dir / SCORES)["origin"]["data"]["root"])


def scored_body(run_dir: Path) -> Path | None:
    """Folder of the body models that a run was scored with; None for the stand-in."""
    from rhobin.scoring.document import SCORES, read_document

    folder = read_document(run_dir / SCORES)["origin"]["body_folder"]
    return None if folder is None else Path(folder)
