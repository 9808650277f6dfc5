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
        help="2023: by sequence; 2024: by image (default: that of the ground truth, or 2023)",
    )
    parser.add_argument(
        "--track",
        choices=("human", "object", "joint"),
        help="track to submit to (default: joint, or that of the part that was predicted)",
    )
    parser.add_argument(
        "--vertices",
        action="store_true",
        help="joint track: vertices of body and object in place of parameters (0.1 MB a frame)",
    )
    parser.add_argument(
        "--ref", type=Path, help="where ref.pkl is, to check with; by default the data the run was scored on"
    )
    parser.add_argument(
        "--body", type=Path, help="folder of SMPL-H files, or standin; by default that of the score"
    )


def run(args: argparse.Namespace) -> int:
    """Write and check the zip; returns the exit status: 1 when the server would give no score."""
    from rhobin.cli.report import scored_body, scored_data
    from rhobin.scoring.challenge import read_challenge
    from rhobin.scoring.document import SCORES
    from rhobin.scoring.store import read_results
    from rhobin.scoring.submissions import pack, possible_tracks, submission_path, track_results
    from rhobin.scoring.vertices import as_vertices

    try:
        results, made = read_results(args.run)
        track = args.track or next(iter(possible_tracks(results)), "joint")
        kept = track_results(results, track, str(args.run))
        scored = (args.run / SCORES).is_file()
        body = args.body or (scored_body(args.run) if scored else made.asked_body)
        place = args.ref or (scored_data(args.run) if scored else None)
        challenge = read_challenge(place, body, people=track != "object") if place else None
        edition = args.edition or (challenge.edition if challenge else "2023")
        path = submission_path(args.run, track, edition)
        if args.vertices:
            path, kept = path.with_stem(f"{path.stem}-vertices"), as_vertices(kept, track, edition, challenge)
        pack(path, kept, edition, challenge)
        size = path.stat().st_size
        told = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
        print(f"{path}: {told}, {track} track")
        if challenge is None:
            print("not checked against ground truth: the run was not scored; give it with --ref")
            return 0
        return _check(path, track, edition, challenge)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _check(path: Path, track: str, edition: str, challenge) -> int:
    from rhobin.scoring.submissions import read_submission
    from rhobin.scoring.track import score_track

    mode = "2024" if edition == "2024" else "official"
    score = score_track(track, challenge, read_submission(path, challenge), mode, source=str(path)).score
    shown = ", ".join(f"{name} {value:.4g}" for name, value in score.metrics().items())
    print(f"read again and scored ({score.protocol.name}): {shown}")
    for note in score.notes:
        print(f"note: {note}")
    if not score.examples:
        print(f"error: coverage {100 * score.coverage:.2f} %: the server gives no score", file=sys.stderr)
        return 1
    return 0
