"""What stacking gains, measured on sequences that neither weights nor the choice of a member have seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from rhobin.body.joints import JOINTS24
from rhobin.body.model import BodyModel, BodyOutput
from rhobin.ensemble.grams import Grams
from rhobin.ensemble.meshes import Bodies, pose
from rhobin.ensemble.people import People, chunks
from rhobin.ensemble.stack import Stacked, stack
from rhobin.ensemble.weights import Weights, choose_pull, fit_weights
from rhobin.metrics.human import HumanErrors, human_errors

METRICS = {"MPJPE": "mm", "MPJPE_PA": "mm", "MPJAE": "deg", "MPJAE_PA": "deg"}
"""Scores whose gain is told, and their units; lower is better for all."""

Errors = dict[str, np.ndarray]


def fitted(grams: Grams, ridge: float, by_part: bool) -> Weights:
    """Weights, with the pull of part weights chosen by cross-validation where they are asked for.

    One fold alone cannot choose; then parts have no weights of their own.
    """
    pull = choose_pull(grams, ridge) if by_part and len(grams.turn) > 1 else np.inf
    return fit_weights(grams, ridge, pull)


def nested_gain(
    people: People,
    truth: People,
    bodies: Bodies,
    fold: np.ndarray,
    grams: Grams,
    ridge: float,
    by_part: bool,
) -> tuple[dict[str, Any], Stacked]:
    """Compare the stack with the best member, fold by fold.

    On each fold the stack has weights fitted on the other folds, everything that they depend on included,
    and is refitted; against it stands the member that is best on the other folds, in each score anew.

    Args:
        people: what the members predict.
        truth: the true people.
        bodies: single precision body models by gender.
        fold: (N,) fold of each view, two at least.
        grams: products of the members' errors by fold.
        ridge: pull towards equal weights.
        by_part: weights of their own for parts.

    Returns:
        What `compare` gives, and the stack's people.
    """
    folds = np.arange(len(grams.turn))
    weights = [fitted(grams.of(folds[folds != k]), ridge, by_part) for k in folds]
    members = {name: np.zeros((len(people.poses), len(people))) for name in METRICS}

    def watch(body: BodyModel, rows: np.ndarray, posed: BodyOutput) -> None:
        for name, values in errors_of(body, truth, rows, posed).items():
            members[name][:, rows] = values

    stacked = stack(people, bodies, weights.__getitem__, fold, watch)
    return compare(members, errors_by_view(stacked.people, truth, bodies), fold), stacked


def errors_by_view(people: People, truth: People, bodies: Bodies) -> Errors:
    """Errors (N,) of people with one body a view, by score."""
    errors = {name: np.zeros(len(people)) for name in METRICS}
    for gender, rows in chunks(people.gender):
        body = bodies[str(gender)]
        for name, values in errors_of(body, truth, rows, pose(body, people, rows)).items():
            errors[name][rows] = values[0]
    return errors


def errors_of(body: BodyModel, truth: People, rows: np.ndarray, posed: BodyOutput) -> Errors:
    """Errors (M, F) of posed bodies of some views, by score."""
    views, members = posed.joints.shape[:2]
    true = pose(body, truth, rows)
    parts = list(JOINTS24)

    def flat(array: torch.Tensor) -> torch.Tensor:
        return array.expand(views, members, *array.shape[2:]).flatten(0, 1)[:, parts]

    errors = human_errors(*(flat(array) for of in (posed, true) for array in (of.joints, of.rotations)))
    return {name: values.reshape(views, members).T for name, values in named(errors).items()}


def compare(members: Mapping[str, np.ndarray], stacked: Mapping[str, np.ndarray], fold: np.ndarray) -> dict:
    """Scores of the stack and of the member that is best on the other folds.

    Args:
        members: (M, N) errors by score.
        stacked: (N,) errors by score; each view's weights were fitted without its fold.
        fold: (N,).

    Returns:
        By score: ``unit``, ``members`` (M means), ``member`` and ``stack`` (means over all views),
        ``gain_percent``, and of the folds ``folds_percent``, their standard deviation ``spread_percent`` and
        the members ``chosen``.
    """
    numbers = np.unique(fold)
    told = {}
    for name, errors in members.items():
        chosen = [int(errors[:, fold != k].mean(1).argmin()) for k in numbers]
        theirs = np.zeros(len(fold))
        for k, member in zip(numbers, chosen, strict=True):
            theirs[fold == k] = errors[member, fold == k]
        gains = [_percent(theirs[fold == k], stacked[name][fold == k]) for k in numbers]
        told[name] = {
            "unit": METRICS[name],
            "members": errors.mean(1).tolist(),
            "member": float(theirs.mean()),
            "stack": float(stacked[name].mean()),
            "gain_percent": _percent(theirs, stacked[name]),
            "folds_percent": gains,
            "spread_percent": float(np.std(gains, ddof=1)),
            "chosen": chosen,
        }
    return told


def _percent(theirs: np.ndarray, ours: np.ndarray) -> float:
    return float(100 * (1 - ours.mean() / theirs.mean()))


def named(errors: HumanErrors) -> Errors:
    """Errors (N,) by the names of `METRICS`."""
    return {
        "MPJPE": errors.mpjpe_mm,
        "MPJPE_PA": errors.mpjpe_pa_mm,
        "MPJAE": errors.angle_deg.mean(1),
        "MPJAE_PA": errors.angle_pa_deg.mean(1),
    }
