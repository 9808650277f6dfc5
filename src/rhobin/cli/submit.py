"""`rhobin submit RUN`: a run's predictions as the challenge's zip, checked by reading and scoring it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", type=Path, help="run folder, evaluated by eval.py")
    parser.add_argument(
        "--edition",
        choices=("2023", "2024"),
        default="2023",
        help="2023: by sequence; 2024: by image (default: 2023)",
    )
    parser.add_argument(
        "--track",
        choices=("human", "object", "joint"),
        default="joint",
        help="track that the check scores (default: joint)",
    )
    parser.add_argument(
        "--ref", type=Path, help="folder of ref.pkl; by default the data the run was scored on"
    )
    parser.add_argument("--body", type=Path, help="folder of SMPL-H files; the stand-in by default")


def run(args: argparse.Namespace) -> int:
    """Write and check the zip; returns the exit status: 1 when the server would give no score."""
    from rhobin.cli.report import scored_data
    from rhobin.reports.images import to_images
    from rhobin.reports.store import read_results
    from rhobin.reports.submissions import read_challenge, read_submission, write_zip
    from rhobin.reports.track import score_track

    path = args.run / f"submission-{args.edition}.zip"
    try:
        results, _ = read_results(args.run / "results.pkl")
        challenge = read_challenge(args.ref or scored_data(args.run), args.body)
        if args.edition == "2024":
            ids = {f for a in challenge.annotations.values() for f in a.frames}
            write_zip(path, to_images(results, ids if challenge.edition == "2024" else ()))
        else:
            write_zip(path, results)
        mode = "2024" if args.edition == "2024" else "official"
        checked = score_track(args.track, challenge, read_submission(path, challenge), mode, source=str(path))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    score = checked.score
    shown = ", ".join(f"{name} {value:.4g}" for name, value in score.metrics().items())
    print(
        f"{path}: {path.stat().st_size / 1e6:.2f} MB, read again and scored ({score.protocol.name}): {shown}"
    )
    for note in score.notes:
        print(f"note: {note}")
    if not score.examples:
        print(f"error: coverage {100 * score.coverage:.2f} %: the server gives no score", file=sys.stderr)
        return 1
    return 0
