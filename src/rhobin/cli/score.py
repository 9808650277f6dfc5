"""`rhobin score TRACK ROOT OUT`: what the challenge's server would answer, and more about it."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

MODES = ("official", "2023", "paper", "strict", "2024", "chore", "contho", "procrustes-none")


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
        choices=MODES,
        default="official",
        help="way of counting (docs/protocol.md); the last three are for the joint track",
    )
    parser.add_argument("--results", type=Path, help="another results file than ROOT/res/results.pkl")
    parser.add_argument(
        "--body",
        type=Path,
        help="folder of SMPL-H files, or standin; default: those beside ref.pkl, or generated data's own",
    )
    parser.add_argument(
        "--seeds", type=int, default=1, help="how many sampling seeds to score with, for the spread"
    )
    parser.add_argument("--workers", type=int, default=2, help="threads")


def run(args: argparse.Namespace) -> int:
    """Score and write; returns the exit status: 1 when there is no score."""
    from rhobin.scoring.challenge import file_hash, read_challenge
    from rhobin.scoring.measured import kind_of
    from rhobin.scoring.server import clear_track, write_track
    from rhobin.scoring.submissions import read_submission
    from rhobin.scoring.track import score_track

    path = args.results or args.root / "res" / "results.pkl"
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        clear_track(args.out)
        challenge = read_challenge(args.root, args.body, people=args.track != "object")
        results = read_submission(path, challenge)
        result = score_track(args.track, challenge, results, args.mode, args.seeds, str(path), args.workers)
        write_track(args.out, result, challenge, {"results": str(path), "results_hash": file_hash(path)})
    except (OSError, ValueError) as error:
        print(f"error: {error}\nNo score; {args.out / 'scores.txt'} is empty.", file=sys.stderr)
        return 1
    _show(result, kind_of(challenge.origin))
    print(f"Body model: {challenge.body}. Written to {args.out}.")
    return 0 if result.score.examples else 1


def _show(result, kind: str) -> None:
    from rich.table import Table

    from rhobin.metrics.tracks import TRACKS
    from rhobin.scoring.measured import MEASURED
    from rhobin.scoring.server import server_scores
    from rhobin.scoring.track import paper_rows
    from rhobin.terminal import plain_console

    score, console, track = result.score, plain_console(), TRACKS[result.score.track]
    metrics = score.metrics()
    table = Table(title=f"{score.protocol.name}: {len(score.examples)} frames", title_justify="left")
    rows = paper_rows(track, metrics) if kind == MEASURED else []
    for head in ("", "score", *(["seeds"] if result.seeds else []), *(row["row"] for row in rows)):
        table.add_column(head, justify="right" if head else "left")
    for name, value in metrics.items():
        column = track.column(name)
        over = [scores[name] for scores in result.seeds.values()]
        seeds = [f"{min(over):.4g} to {max(over):.4g}"] if over else []
        quoted = [_quoted(row, name, column.factor) if name in row["quoted"] else "" for row in rows]
        table.add_row(f"{name} {column.unit}".rstrip(), f"{value:.4g}", *seeds, *quoted)
    console.print(table)
    if rows:
        console.print("The paper's rows are quoted, on BEHAVE; in brackets, how far this file is from them.")
    else:
        console.print(f"Scores of {kind} are not to be compared with the paper's.")
    if result.edition == "2024":
        shown = ", ".join(f"{name} {value:.4g}" for name, value in server_scores(result).items())
        console.print(f"By data set, under the names of the server of 2024: {shown}")
    for note in score.notes:
        console.print(f"note: {note}")
    if any(math.isinf(value) for value in metrics.values()):
        refused = [] if score.examples else [f"Coverage {100 * score.coverage:.2f} %"]
        missing = [f"{len(score.missing)} frames are missing"] if score.missing else []
        console.print("; ".join([*refused, *missing, "some scores do not exist."]))


def _quoted(row: dict, name: str, factor: float) -> str:
    change = row["difference"][name]
    return f"{row['quoted'][name] / factor:g}" + ("" if change is None else f" ({change / factor:+.3g})")
