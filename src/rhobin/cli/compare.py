"""`rhobin compare RUN [OTHER]`: how far scores, and a lead over another run, depend on the test sequences."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rhobin.cli.numbers import at_least
from rhobin.cli.score import MODES

if TYPE_CHECKING:
    from rich.table import Table

    from rhobin.scoring.compare import Comparison, FrameScores


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    told = "a scored run, what rhobin score wrote, or with --ref a file of results"
    parser.add_argument("run", type=Path, help=told)
    parser.add_argument("other", type=Path, nargs="?", help="another, of the same data")
    parser.add_argument(
        "--track",
        choices=("human", "object", "joint"),
        help="whose scores; default: the first of joint, human, object that all have",
    )
    parser.add_argument(
        "--joints-visible-below",
        type=float,
        metavar="SHARE",
        help="only frames that show a smaller share of the person's joints (joints_visible of frames.csv)",
    )
    files = parser.add_argument_group("files of results, results.pkl or its zip, are scored first")
    files.add_argument("--ref", type=Path, metavar="ROOT", help="holds ref.pkl, there or in ref/")
    files.add_argument("--mode", "--protocol", choices=MODES, help="way of counting; default: official")
    files.add_argument("--body", type=Path, help="folder of SMPL-H files, or standin")
    files.add_argument("--workers", type=at_least(1), default=2, help="threads")


def run(args: argparse.Namespace) -> int:
    """Print the table; returns the exit status."""
    from rhobin.scoring.compare import compare
    from rhobin.terminal import plain_console

    places = [place for place in (args.run, args.other) if place is not None]
    try:
        scores = _frame_scores(places, args)
        found = compare(tuple(scores))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    console = plain_console()
    console.print(comparison_table(args.track, _names(places), found))
    told = "p is how often two equal methods differ by as much. " if found.difference else ""
    console.print(
        f"{found.frames} frames of {found.sequences} sequences. ± is the standard error, 95 % the interval "
        f"of the {'paired difference' if found.difference else 'score'} over other test sequences. {told}"
        "Training again with another seed varies beyond that.",
        soft_wrap=True,
    )
    if found.left_out:
        console.print(f"{found.left_out} frames that only one of the two predicts are left out.")
    for one in scores:
        for note in one.notes:
            console.print(f"note: {one.source}: {note}", soft_wrap=True)
    bodies = list(dict.fromkeys(one.body for one in scores if one.body))
    if len(bodies) > 1:
        console.print(
            f"note: they were scored with other body files (hashes {' and '.join(bodies)}), which is part of "
            "the difference unless the files hold the same bodies",
            soft_wrap=True,
        )
    return 0


def comparison_table(track: str, names: list[str], found: Comparison) -> Table:
    """Scores of one or two runs, with their spread; see `rhobin.scoring.compare`."""
    from rich.table import Table

    from rhobin.metrics.tracks import TRACKS

    shown = [*found.runs, *([found.difference] if found.difference else [])]
    heads = [*names, *([f"{names[1]} - {names[0]}"] if found.difference else []), "95 %"]
    table = Table(title=TRACKS[track].title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in ("", *heads, *(["p"] if found.difference else [])):
        table.add_column(head, justify="right" if head else "left")
    for name in found.runs[0]:
        column = TRACKS[track].column(name)
        cells = [f"{column.shown(of[name].value)} ± {column.shown(of[name].deviation)}" for of in shown]
        last = shown[-1][name]
        chance = [_chance(last.chance)] if found.difference else []
        table.add_row(column.head, *cells, column.ends_shown(last.ends), *chance)
    return table


def _chance(value: float) -> str:
    """A p-value as it is printed; a dash where there is none."""
    if math.isnan(value):
        return "-"
    return f"{value:.2g}" if value >= 1e-4 else "< 1e-4"


def _common_track(places: list[Path]) -> str:
    """The first track in which every place has scores, or predictions to score.

    Raises:
        ValueError: there is none.
    """
    from rhobin.scoring.document import SCORES, read_document, scored_tracks
    from rhobin.scoring.submissions import possible_tracks, read_submission

    there = [
        possible_tracks(read_submission(place))
        if place.is_file()
        else scored_tracks(read_document(place / SCORES))
        for place in places
    ]
    common = [track for track in there[0] if all(track in tracks for tracks in there)]
    if not common:
        found = "; ".join(
            f"{place}: {', '.join(tracks) or 'none'}" for place, tracks in zip(places, there, strict=True)
        )
        raise ValueError(f"expected scores of one track in all places, found {found}")
    return common[0]


def _frame_scores(places: list[Path], args: argparse.Namespace) -> list[FrameScores]:
    """Scores of frames of every place; files are scored against one ground truth.

    Raises:
        ValueError: a file is given without ground truth, or options of files without a file.
    """
    from rhobin.scoring.challenge import read_challenge
    from rhobin.scoring.compare import frame_scores, read_frame_scores
    from rhobin.scoring.submissions import read_submission
    from rhobin.scoring.track import score_track

    files = [place for place in places if place.is_file()]
    if bool(files) != bool(args.ref):
        found = f"{files[0]} without --ref" if files else "--ref with folders of scores only"
        raise ValueError(
            f"expected --ref ROOT together with files of results, found {found}: rhobin compare FILE FILE "
            "--ref ROOT scores files first, rhobin compare RUN RUN reads the scores of runs"
        )
    if not files and (args.mode or args.body):
        given = "--protocol" if args.mode else "--body"
        raise ValueError(
            f"{given} needs files of results, found folders, whose scores are read as they are. "
            f"Score predictions another way: rhobin compare {args.run}/results.pkl --ref ROOT {given} ..."
        )
    if files and args.joints_visible_below is not None:
        raise ValueError("--joints-visible-below needs scored runs, which know what a frame shows")
    args.track = args.track or _common_track(places)
    challenge = read_challenge(args.ref, args.body, people=args.track != "object") if args.ref else None
    scores = []
    for place in places:
        if challenge is None or not place.is_file():
            scores.append(read_frame_scores(place, args.track, args.joints_visible_below))
            continue
        results, mode = read_submission(place, challenge), args.mode or "official"
        result = score_track(args.track, challenge, results, mode, 1, str(place), args.workers)
        scores.append(frame_scores(place, result.score, challenge.body_hash))
    return scores


def _names(places: list[Path]) -> list[str]:
    """Short names: the last part of each path that differs from the other's; whole paths where none does."""
    parts = zip(*(reversed(place.absolute().parts) for place in places), strict=False)
    differing = (list(names) for names in parts if len(set(names)) == len(places))
    return next(differing, list(map(str, places)))
