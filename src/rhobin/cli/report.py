"""`rhobin report RUN`: write a scored run's page again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhobin.scoring.challenge import Challenge


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="run folder, scored by eval.py")
    parser.add_argument("--data", type=Path, help="dataset root; by default where the run was scored")
    parser.add_argument(
        "--body", type=Path, help="folder of SMPL-H files, or standin; by default that of the score"
    )


def run(args: argparse.Namespace) -> int:
    """Write ``report.html``; returns the exit status."""
    from rhobin.reports.page import write_report
    from rhobin.scoring.challenge import read_challenge

    try:
        data, body = args.data or scored_data(args.run), args.body or scored_body(args.run)
        challenge = read_challenge(data, body, beside=False, centred=True)
        check_body(args.run, challenge)
        page = write_report(args.run, data, challenge)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page)
    return 0


def scored_data(run_dir: Path) -> Path:
    """Root of the data that a run was scored on."""
    from rhobin.scoring.document import SCORES, read_document

    return Path(read_document(run_dir / SCORES)["origin"]["data"]["root"])


def scored_body(run_dir: Path) -> str | None:
    """What body models were asked for when a run was scored; None where that was left to the data."""
    from rhobin.scoring.document import SCORES, read_document

    return read_document(run_dir / SCORES)["origin"]["body_folder"]


def check_body(run_dir: Path, challenge: Challenge) -> None:
    """Refuse other body models than those that a run was scored with."""
    from rhobin.scoring.document import SCORES, read_document

    have, want = challenge.body_hash, read_document(run_dir / SCORES)["origin"].get("body_hash")
    if have != want:
        raise ValueError(
            f"{run_dir / SCORES} was scored with the body models of hash {want}, and those found now "
            f"({challenge.body}) have {have}: expected the same. Give their folder with --body, or score "
            f"again: python eval.py run={run_dir}"
        )
