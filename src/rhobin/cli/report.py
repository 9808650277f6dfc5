"""`rhobin report RUN`: write a scored run's page again."""

from __future__ import annotations

import argparse
import json
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

    try:
        data = args.data or scored_data(args.run)
        page = write_report(args.run, data, args.body)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page)
    return 0


def scored_data(run_dir: Path) -> Path:
    """Root of the data that a run was scored on."""
    scores = run_dir / "scores.json"
    if not scores.is_file():
        raise FileNotFoundError(f"{scores} is missing. Score the run: python eval.py run={run_dir}")
    return Path(json.loads(scores.read_text())["origin"]["data"]["root"])
