"""`rhobin score TRACK ROOT OUT`: what the challenge's server would answer, and more about it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhobin.cli.numbers import at_least

if TYPE_CHECKING:
    from rhobin.scoring.challenge import Challenge
    from rhobin.scoring.track import TrackResult

MODES = ("official", "2023", "paper", "strict", "2024", "chore", "contho", "procrustes-none")
ALL = "all"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("track", choices=("human", "object", "joint"), help="what is scored")
    parser.add_argument(
        "root", type=Path, help="holds ref.pkl and SMPLH_*.pkl, there or in ref/, and res/results.pkl"
    )
    parser.add_argument("out", type=Path, help="where scores.txt, scores.json and frames.csv go")
    parser.add_argument(
        "--mode",
        "--protocol",
        choices=(*MODES, ALL),
        default="official",
        help="way of counting (docs/protocol.md); chore, contho and procrustes-none are for the joint track; "
        "all: by every one, each in a folder of OUT, in one table",
    )
    parser.add_argument("--results", type=Path, help="another results file than ROOT/res/results.pkl")
    parser.add_argument(
        "--body",
        type=Path,
        help="folder of SMPL-H files, or standin; default: those beside ref.pkl, or generated data's own",
    )
    parser.add_argument(
        "--seeds", type=at_least(1), default=1, help="how many sampling seeds to score with, for the spread"
    )
    parser.add_argument("--workers", type=at_least(1), default=2, help="threads")


def run(args: argparse.Namespace) -> int:
    """Score and write; returns the exit status: 1 when there is no score."""
    from rhobin.cli.score_tables import show_modes, show_score
    from rhobin.scoring.challenge import read_challenge
    from rhobin.scoring.measured import kind_of
    from rhobin.scoring.server import clear_track
    from rhobin.scoring.submissions import check_track, read_submission
    from rhobin.scoring.track import every_mode

    path = args.results or args.root / "res" / "results.pkl"
    if refused := _refused(args.out):
        print(f"error: {refused}", file=sys.stderr)
        return 1
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        modes = every_mode(args.track) if args.mode == ALL else ()
        for folder in (args.out, *(args.out / mode for mode in modes if (args.out / mode).is_dir())):
            clear_track(folder)
        challenge = read_challenge(args.root, args.body, people=args.track != "object")
        results = read_submission(path, challenge)
        check_track(args.track, results, f"rhobin score TRACK {args.root} {args.out} --results {path}")
        if args.mode == ALL:
            found = {mode: _by_mode(args, mode, challenge, results) for mode in modes}
        else:
            result = _score(args, args.mode, args.out, challenge, results)
    except (OSError, ValueError) as error:
        print(f"error: {error}\nNo score; {args.out / 'scores.txt'} is empty.", file=sys.stderr)
        return 1
    if args.mode == ALL:
        scored = show_modes(args.track, found)
    else:
        scored = show_score(result, kind_of(challenge.origin))
    print(f"Body model: {challenge.body}. Written to {args.out}.")
    return 0 if scored else 1


def _refused(out: Path) -> str:
    """Why nothing can be written to a folder; empty where it can."""
    if out.exists() and not out.is_dir():
        return f"expected a folder to write, found the file {out}: rhobin score TRACK ROOT OUT --results FILE"
    if (out / "run.json").exists() or (out / "results.json").exists():
        return (
            f"{out} holds a run's results, whose scores.json and frames.csv would be replaced: expected "
            f"another folder as OUT, such as {out / 'by_protocol'}"
        )
    return ""


def _score(
    args: argparse.Namespace, mode: str, out: Path, challenge: Challenge, results: dict[str, Any]
) -> TrackResult:
    """Score by one mode, and write the files."""
    from rhobin.scoring.challenge import file_hash
    from rhobin.scoring.server import write_track
    from rhobin.scoring.track import score_track

    path = args.results or args.root / "res" / "results.pkl"
    result = score_track(args.track, challenge, results, mode, args.seeds, str(path), args.workers)
    write_track(out, result, challenge, {"results": str(path), "results_hash": file_hash(path)})
    return result


def _by_mode(
    args: argparse.Namespace, mode: str, challenge: Challenge, results: dict[str, Any]
) -> TrackResult | str:
    """The score by one of several modes, in a folder of its own; or why there is none."""
    from rhobin.scoring.server import clear_track

    folder = args.out / mode
    folder.mkdir(exist_ok=True)
    clear_track(folder)
    try:
        return _score(args, mode, folder, challenge, results)
    except ValueError as error:
        return str(error)
