"""`rhobin ensemble fit OUT RUN ...` and `rhobin ensemble apply OUT`: stack what runs predict of people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhobin.cli.numbers import at_least

if TYPE_CHECKING:
    from rich.table import Table

    from rhobin.ensemble.apply import Applied


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "action",
        choices=("fit", "apply"),
        help="fit: weights on validation predictions; apply: stack the test predictions",
    )
    parser.add_argument("out", type=Path, help="the ensemble's folder")
    parser.add_argument(
        "runs",
        type=Path,
        nargs="*",
        help="fit: run folders, each after python eval.py run=RUN views=val; apply wants python eval.py "
        "run=RUN of each, too",
    )
    parser.add_argument(
        "--body",
        type=Path,
        help="folder of the SMPL-H files of the runs; by default the stand-in, if they are of it",
    )
    parser.add_argument("--parts", action="store_true", help="fit: weights of their own for 24 body parts")
    parser.add_argument(
        "--angles",
        action="store_true",
        help="fit: also turn parts whose angles are off by a constant, where other sequences agree",
    )
    parser.add_argument(
        "--folds",
        type=at_least(2),
        default=5,
        help="fit: parts of whole sequences for cross-validation (default: 5)",
    )
    parser.add_argument("--data", type=Path, help="apply: root to score on; by default the members'")
    parser.add_argument(
        "--shared-betas",
        action="store_true",
        help="apply: one shape for all views of a subject, stored and scored apart in OUT/shared_betas",
    )


def run(args: argparse.Namespace) -> int:
    """Fit or apply; returns the exit status."""
    try:
        if args.action == "fit":
            return _fit(args)
        return _apply(args)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _fit(args: argparse.Namespace) -> int:
    from rhobin.ensemble.document import ENSEMBLE
    from rhobin.ensemble.fit import fit_ensemble
    from rhobin.terminal import plain_console

    if not args.runs:
        raise ValueError("no members: rhobin ensemble fit OUT RUN [RUN ...]")
    document = fit_ensemble(args.out, args.runs, args.body, args.parts, folds=args.folds, angles=args.angles)
    console = plain_console()
    console.print(_weights(document))
    if document["gain"]:
        console.print(_gain(document))
        console.print(
            f"{document['frames']} validation views in {len(document['folds'])} folds of whole sequences. "
            "The gain is of weights fitted on the other folds over the member that is best there; ± is the "
            f"deviation between folds. Refitted bodies are {document['refit_mm']:.2f} mm from the means.",
            soft_wrap=True,
        )
    if "angles" in document:
        console.print(_angles(document["angles"]["parts"]))
        console.print(_nested(document["angles"]["scores"]), soft_wrap=True)
    console.print(f"{args.out / ENSEMBLE}; next: rhobin ensemble apply {args.out}", soft_wrap=True)
    return 0


def _weights(document: dict[str, Any]) -> Table:
    from rich.table import Table

    weights, gain = document["weights"], document["gain"]
    table = Table(title="Weights of the members", title_justify="left")
    for head in ("", "shape", "turn", "pelvis", *gain):
        table.add_column(head, justify="right" if head else "left")
    for row, told in enumerate(document["members"]):
        shown = (f"{weights[key][row]:.3f}" for key in ("shape", "turn", "pelvis"))
        errors = (f"{gain[name]['members'][row]:.2f}" for name in gain)
        table.add_row(Path(told["run"]).name, *shown, *errors)
    return table


def _gain(document: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="Nested cross-validation", title_justify="left")
    for head in ("", "member", "ensemble", "gain", "by fold"):
        table.add_column(head, justify="right" if head else "left")
    for name, told in document["gain"].items():
        folds = ", ".join(f"{value:.1f}" for value in told["folds_percent"])
        gain = f"{told['gain_percent']:.2f} ± {told['spread_percent']:.2f} %"
        table.add_row(f"{name}, {told['unit']}", f"{told['member']:.2f}", f"{told['stack']:.2f}", gain, folds)
    return table


def _angles(parts: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title="Constant turns of parts, angle errors cross-validated", title_justify="left")
    for head in ("", "turn [deg]", "before [deg]", "after [deg]", "standard error", ""):
        table.add_column(head, justify="right" if head else "left")
    for name, told in parts.items():
        shown = (f"{told[key]:.2f}" for key in ("angle_deg", "before_deg", "after_deg", "error_deg"))
        table.add_row(name, *shown, "kept" if told["kept"] else "left alone")
    return table


def _nested(scores: dict[str, Any]) -> str:
    changes = (
        f"{name} {told['before']:.2f} to {told['after']:.2f} {told['unit']}" for name, told in scores.items()
    )
    return f"With turns fitted and chosen on the other folds: {', '.join(changes)}."


def _apply(args: argparse.Namespace) -> int:
    from rhobin.behave.ref import find_ref
    from rhobin.ensemble.apply import apply_ensemble
    from rhobin.ensemble.score import scored_root

    if args.runs:
        raise ValueError(f"apply takes the members of {args.out}; to change them: rhobin ensemble fit")
    applied = apply_ensemble(args.out, args.body, args.shared_betas)
    refit = "" if applied.refit_mm is None else f"; bodies refitted to {applied.refit_mm:.2f} mm"
    print(f"{applied.folder}: predictions of {len(applied.members)} runs stacked{refit}")
    if applied.turned:
        print(f"parts turned: {', '.join(applied.turned)}")
    root = args.data or scored_root(applied)
    if root is None or find_ref(root) is None:
        print(f"not scored: no ref.pkl in {root or 'any root known here'}; give one with --data")
        return 0
    return _score(applied, root, args.body)


def _score(applied: Applied, root: Path, body: Path | None) -> int:
    from rhobin.ensemble.score import score_ensemble
    from rhobin.reports.page import write_report
    from rhobin.reports.terminal import score_tables
    from rhobin.scoring.challenge import read_challenge
    from rhobin.terminal import plain_console

    asked = body or applied.provenance.asked_body
    challenge = read_challenge(root, asked, beside=False, centred=True)
    scores = score_ensemble(applied, challenge, root, asked)
    console = plain_console()
    for table in score_tables(scores):
        console.print(table)
    console.print(str(write_report(applied.folder, root, challenge)), soft_wrap=True)
    return 0
