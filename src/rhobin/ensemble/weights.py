"""Weights of members from the products of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rhobin.ensemble.grams import Grams
from rhobin.ensemble.simplex import simplex_weights

RIDGE = 0.01
"""Pull of the weights towards equal ones, in mean squared errors of a member."""

PULLS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
"""Pulls of part weights towards those of the whole body, of which cross-validation takes one."""


@dataclass(frozen=True)
class Weights:
    """Weights of M members; every row sums to one.

    Attributes:
        shape: (24, M) of the vertices of each part; equal rows where parts have none of their own.
        turn: (M,) of the orientation.
        pelvis: (M,) of the position.
        whole: (M,) of all vertices.
        pull: of the parts' weights towards `whole`; infinite where parts have none of their own.
    """

    shape: np.ndarray
    turn: np.ndarray
    pelvis: np.ndarray
    whole: np.ndarray
    pull: float = np.inf


def equal_weights(members: int, parts: int) -> Weights:
    """The plain mean."""
    each = np.full(members, 1 / members)
    return Weights(np.tile(each, (parts, 1)), each, each, each)


def fit_weights(grams: Grams, ridge: float = RIDGE, pull: float = np.inf) -> Weights:
    """Weights with the least squared error over all folds of `grams`.

    Args:
        grams: products of errors.
        ridge: pull towards equal weights.
        pull: pull of each part's weights towards those of the whole body.
    """
    shape, turn, pelvis = grams.shape.sum(0), grams.turn.sum(0), grams.pelvis.sum(0)
    each = np.full(len(turn), 1 / len(turn))
    whole, turned, placed = (simplex_weights(g, each, ridge) for g in (shape.sum(0), turn, pelvis))
    parts = np.stack([simplex_weights(part, whole, pull) for part in shape])
    return Weights(parts, turned, placed, whole, pull)


def choose_pull(grams: Grams, ridge: float = RIDGE, pulls: Sequence[float] = PULLS) -> float:
    """The pull of part weights whose squared vertex error on left-out folds is least.

    Args:
        grams: products of errors of two folds or more.
        ridge: pull towards equal weights.
        pulls: to choose from.
    """
    folds = np.arange(len(grams.turn))
    left_out = dict.fromkeys(pulls, 0.0)
    for fold in folds:
        rest = grams.of(folds[folds != fold])
        for pull in pulls:
            shape = fit_weights(rest, ridge, pull).shape
            left_out[pull] += float(np.einsum("pm,pmn,pn->", shape, grams.shape[fold], shape))
    return min(pulls, key=lambda pull: (left_out[pull], -pull))
