"""Constant angle errors of body parts: fitted on validation views, kept where other sequences agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rhobin.body.joints import SMPL_BODY_NAMES
from rhobin.ensemble.gain import METRICS, named
from rhobin.ensemble.members import EnsembleError
from rhobin.ensemble.meshes import Bodies
from rhobin.ensemble.pairs import Pairs, pairs_of
from rhobin.ensemble.people import People
from rhobin.ensemble.turns import PELVIS, Turn, bones_of, kept_turns
from rhobin.geometry.rotation import project_to_so3, rotmat_to_rotvec
from rhobin.metrics.human import ANGLE_JOINTS, HumanErrors

CERTAIN = 2.0
"""Standard errors, over sequences, by which a part's angle error must drop for its turn to be kept."""

FEWEST = 3  # folds: to fit on, to choose on, to measure on


def fit_angles(people: People, truth: People, bodies: Bodies, fold: np.ndarray) -> dict[str, Any]:
    """What `ensemble.json` tells about turns of parts.

    Args:
        people: one body a view, predicted; for an ensemble by weights that have not seen the view's fold.
        truth: the true people.
        bodies: double precision body models by gender.
        fold: (N,) fold of each view, from 0.

    Returns:
        ``parts``: what `choose` tells. ``scores``: by metric its ``unit``, and its means ``before`` and
        ``after`` turns that were both fitted and chosen on the other folds.

    Raises:
        EnsembleError: there are fewer than three folds.
    """
    folds = range(int(fold.max()) + 1)
    if len(folds) < FEWEST:
        raise EnsembleError(
            f"--angles: expected validation views in {FEWEST} folds of whole sequences or more (to fit on, "
            f"to choose on, to measure on), found {len(folds)}. Hold out more sequences: data.validation; "
            "or raise --folds"
        )
    pairs = pairs_of(people, truth, bodies, fold)
    turns = [kept_turns(choose(pairs, _without(folds, k))) for k in folds]
    before = named(pairs.errors(pairs.rows(folds), {}))
    after = named(pairs.errors_by_fold(folds, turns))
    scores = {
        name: {"unit": unit, "before": float(before[name].mean()), "after": float(after[name].mean())}
        for name, unit in METRICS.items()
    }
    return {"parts": choose(pairs, folds), "scores": scores}


def fit_turns(pairs: Pairs, rows: np.ndarray) -> dict[int, Turn]:
    """The turn of each scored part that is nearest to the rotations it lacks, in the chordal sense.

    The pelvis takes the chordal mean. Other parts take the best turn about the bone: with M the missing
    rotation and b the bone, ``tr(M' R(b, a)) = cos(a) (tr M - b'Mb) + sin(a) b . vee(M - M') + b'Mb``, whose
    sum over views is greatest at the angle of two sums.
    """
    off, bones = pairs.off[rows], bones_of(pairs.rest[rows])
    wedge = off - off.mT
    vee = torch.stack((wedge[..., 2, 1], wedge[..., 0, 2], wedge[..., 1, 0]), dim=-1)
    along = torch.einsum("npi,npij,npj->np", bones, off, bones)
    across = off.diagonal(dim1=-2, dim2=-1).sum(-1) - along
    angles = torch.atan2((bones * vee).sum((0, 2)), across.sum(0)).tolist()
    turns = {part: Turn(angle) for part, angle in zip(ANGLE_JOINTS, angles, strict=True)}
    mean = rotmat_to_rotvec(project_to_so3(off[:, ANGLE_JOINTS.index(PELVIS)].mean(0)))
    size = float(mean.norm())
    return turns | {PELVIS: Turn(size, (mean / size).numpy() if size else np.array((1.0, 0, 0)))}


def choose(pairs: Pairs, folds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Fit the turns on some folds, and say which to keep.

    A turn is kept where the part's angle error on each fold, with turns fitted on the others, drops by more
    than `CERTAIN` standard errors. That of the pelvis moves joints: neither position error may rise.

    Returns:
        By the part's name ``angle_deg`` and ``axis`` (None: the part's bone) of its turn; its angle error
        ``before_deg`` and, on folds that the turn was not fitted on, ``after_deg``; the standard error
        ``error_deg`` of their difference; and whether the turn is ``kept``.
    """
    rows = pairs.rows(folds)
    turns = fit_turns(pairs, rows)
    others = [fit_turns(pairs, pairs.rows(_without(folds, k))) for k in folds]
    before, after = pairs.errors(rows, {}), pairs.errors_by_fold(folds, others)
    told = {}
    for part, old, new in zip(ANGLE_JOINTS, before.angle_deg.T, after.angle_deg.T, strict=True):
        error = standard_error(old - new, pairs.sequence[rows])
        allowed = part != PELVIS or _no_farther(before, after)
        told[SMPL_BODY_NAMES[part]] = {
            **turns[part].told(),
            "before_deg": float(old.mean()),
            "after_deg": float(new.mean()),
            "error_deg": error,
            "kept": bool(allowed and (old - new).mean() > CERTAIN * error),
        }
    return told


def standard_error(values: np.ndarray, group: np.ndarray) -> float:
    """Standard error of the mean of values that are alike within groups (a cluster-robust one).

    Args:
        values: (N,).
        group: (N,) two groups at least.
    """
    _, owner = np.unique(group, return_inverse=True)
    sums = np.bincount(owner, values - values.mean())
    return float(np.sqrt(len(sums) / (len(sums) - 1) * np.sum(sums**2)) / len(values))


def _without(folds: Sequence[int], fold: int) -> list[int]:
    return [k for k in folds if k != fold]


def _no_farther(before: HumanErrors, after: HumanErrors) -> bool:
    pairs = ((before.mpjpe_mm, after.mpjpe_mm), (before.mpjpe_pa_mm, after.mpjpe_pa_mm))
    return all(new.mean() <= old.mean() for old, new in pairs)
