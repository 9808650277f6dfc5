"""Fit an ensemble on its members' validation predictions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rhobin.ensemble.document import write_ensemble
from rhobin.ensemble.folds import FOLDS, folds_by_sequence
from rhobin.ensemble.gain import fitted, nested_gain
from rhobin.ensemble.grams import collect
from rhobin.ensemble.members import EnsembleError, held_out_further, read_members
from rhobin.ensemble.meshes import bodies_of
from rhobin.ensemble.parts import PARTS
from rhobin.ensemble.people import People, aligned, true_people
from rhobin.ensemble.residual import fit_angles
from rhobin.ensemble.weights import RIDGE, Weights, equal_weights


def fit_ensemble(
    folder: Path,
    runs: Sequence[Path],
    body: str | Path | None = None,
    by_part: bool = False,
    ridge: float = RIDGE,
    folds: int = FOLDS,
    angles: bool = False,
) -> dict[str, Any]:
    """Fit weights of runs on their validation predictions, and write ``ensemble.json``.

    Args:
        folder: where to.
        runs: run folders, evaluated with ``views=val``.
        body: folder of the SMPL-H files that the runs were evaluated with; None is the stand-in.
        by_part: weights of their own for 24 parts of the body.
        ridge: pull towards equal weights.
        folds: of the cross-validation; each sequence is in one of them.
        angles: also turn parts whose angles are off by a constant, see `fit_angles`.

    Returns:
        What ``ensemble.json`` holds.

    Raises:
        FileNotFoundError: a run lacks predictions.
        EnsembleError: the runs cannot be stacked, or there are too few sequences to judge by.
    """
    began = time.monotonic()
    members = read_members(runs, held_out=True)
    people = aligned(members)
    truth = true_people(people, members, (held_out_further(run) for run in runs))
    fold = folds_by_sequence(people.sequence, folds)
    facts = {"frames": len(people), "ridge": ridge, "folds": _folds(people, fold)}
    weights, found = equal_weights(1, len(PARTS)), {"gain": {}, "best": 0, "refit_mm": None}
    wanted = members[0].provenance.body_hash
    if len(members) > 1:
        weights, found, people = _fit(people, truth, fold, body, wanted, ridge, by_part)
    if angles:
        found["angles"] = fit_angles(people, truth, bodies_of(people, body, wanted, torch.float64), fold)
    facts |= found | {"seconds": round(time.monotonic() - began, 1)}
    return write_ensemble(folder, members, weights, facts)


def _fit(
    people: People,
    truth: People,
    fold: np.ndarray,
    body: str | Path | None,
    wanted: str,
    ridge: float,
    by_part: bool,
) -> tuple[Weights, dict[str, Any], People]:
    """Weights, what is told of them, and the stack's people by weights that have not seen their fold."""
    if fold.max() == 0:
        raise EnsembleError(
            f"the members' validation views are of one sequence ({people.sequence[0]}): expected two or "
            "more, to judge weights on another than they were fitted on. Hold out more: data.validation"
        )
    bodies = bodies_of(people, body, wanted)
    grams = collect(people, truth, bodies, fold)
    gain, stacked = nested_gain(people, truth, bodies, fold, grams, ridge, by_part)
    best = int(np.argmin(gain["MPJPE_PA"]["members"]))
    told = {"gain": gain, "best": best, "refit_mm": float(stacked.refit_mm.mean())}
    return fitted(grams, ridge, by_part), told, stacked.people


def _folds(people: People, fold: np.ndarray) -> list[list[str]]:
    return [np.unique(people.sequence[fold == k]).tolist() for k in range(int(fold.max()) + 1)]
