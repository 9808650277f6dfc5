"""The members of an ensemble: runs whose predictions of people are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.scoring.challenge import file_hash
from rhobin.scoring.collect import TRUTH, Further
from rhobin.scoring.store import HELD_OUT, RESULTS, SIDECAR, Provenance, read_further, read_results
from rhobin.scoring.submissions import predicted_parts


class EnsembleError(ValueError):
    """Runs that cannot be stacked as they are; the message says what to do."""


@dataclass(frozen=True)
class Member:
    """What one run predicted.

    Attributes:
        run: the run folder.
        results: predictions by sequence name, in the challenge's layout.
        provenance: where they come from.
        predictions_hash: SHA-256 of the stored predictions.
    """

    run: Path
    results: dict[str, Any]
    provenance: Provenance
    predictions_hash: str


def read_members(runs: Sequence[Path], held_out: bool) -> list[Member]:
    """The stored predictions of runs, checked to be of the same data and body.

    Args:
        runs: run folders.
        held_out: those of the validation views instead of the test's.

    Raises:
        FileNotFoundError: a run has none; says how to make them.
        EnsembleError: a file is damaged, a run occurs twice or predicts no people, or data or bodies differ.
    """
    places = [run.resolve() for run in runs]
    twice = [run for run, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise EnsembleError(f"{twice[0]} is named twice: expected each run once, found {len(runs)} runs")
    members = [_read(run, held_out) for run in runs]
    first = members[0]
    for member in members[1:]:
        for key, what in (("data_hash", "data"), ("body_hash", "body models")):
            have, want = getattr(member.provenance, key), getattr(first.provenance, key)
            if have != want:
                raise EnsembleError(
                    f"{member.run} was predicted with other {what} than {first.run}: expected {want!r}, "
                    f"found {have!r} ({key} in {SIDECAR}). Predict both alike: "
                    f"{command(member.run, held_out)} data.root=ROOT data.body=BODY"
                )
    return members


def held_out_further(run: Path) -> Further:
    """What is stored beside a run's validation predictions: the true people.

    Raises:
        EnsembleError: it is missing or damaged.
    """
    try:
        further = read_further(run / HELD_OUT)
    except (OSError, ValueError) as error:
        raise EnsembleError(f"{error}\nPredict again: {command(run, True)} force=true") from error
    if f"{TRUTH}poses" not in further.arrays:
        raise EnsembleError(
            f"{run / HELD_OUT}: expected the true people beside the predictions, found "
            f"{sorted(further.arrays)}. Predict again: {command(run, True)} force=true"
        )
    return further


def command(run: Path, held_out: bool) -> str:
    """The command that predicts a run's views."""
    return f"python eval.py run={run}{' views=val' if held_out else ''}"


def _read(run: Path, held_out: bool) -> Member:
    folder = run / HELD_OUT if held_out else run
    if not (folder / SIDECAR).is_file() or not (folder / RESULTS).is_file():
        what = "validation" if held_out else "test"
        raise FileNotFoundError(
            f"{run} has no predictions of its {what} views: expected {folder / RESULTS} and {SIDECAR}. "
            f"Make them: {command(run, held_out)}"
        )
    try:
        results, provenance = read_results(folder)
    except ValueError as error:
        raise EnsembleError(
            f"{folder}: {error}\nPredict again: {command(run, held_out)} force=true"
        ) from error
    if "human" not in predicted_parts(results):
        raise EnsembleError(
            f"{run} predicts no people ({provenance.title}): expected poses, betas and trans of every "
            f"sequence in {folder / RESULTS}. An ensemble is of the human track; leave this run out"
        )
    return Member(run, results, provenance, file_hash(folder / RESULTS))
