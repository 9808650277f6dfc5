"""How far a method's uncertainty of joints can be trusted, relative to the pelvis (decision 0144)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from rhobin.body.joints import JOINTS29_NAMES
from rhobin.metrics.human_track import HumanScore
from rhobin.scoring.by_image import rows_of_frames
from rhobin.scoring.calibration import FOLDS
from rhobin.scoring.collect import Further
from rhobin.scoring.document import Scores
from rhobin.scoring.joint_lines import (
    SCORED,
    SIGMA,
    JointCalibration,
    cross_fitted,
    fit_lines,
    lines_of,
    sigma_of,
    with_told,
    write_lines,
)
from rhobin.scoring.risk import calibration_error, oracle_curve, reliability, risk_curve
from rhobin.scoring.store import Provenance
from rhobin.scoring.track import finite

MOVING = slice(1, SCORED)
"""Joints that can be off: all are told from the pelvis, the first."""

NAMES = JOINTS29_NAMES[MOVING]
Errors = Float[np.ndarray, "N 23"]


def judged_joints(scores: Scores, row: str, further: Further) -> tuple[Scores, Further]:
    """Scores with what the uncertainty of one row's joints is worth, and the calibrated errors to expect.

    Args:
        scores: scored rows by track and row.
        row: the row that `further` belongs to.
        further: what the method says of each view; ``extras.joints_sigma_mm`` (N, 29) is judged.

    Returns:
        The same, where the method tells no uncertainty or people have no score. Otherwise the row of the
        human track has ``joint_errors`` in `more`, and where lines can be fitted on other sequences also a
        column ``expected_mpjpe_mm``, and the predictions ``extras.joints_error_mm`` (N, 24).

    Raises:
        ValueError: the uncertainty is malformed.
    """
    ours = scores.get("human", {}).get(row)
    score = ours.score if ours else None
    if ours is None or not isinstance(score, HumanScore) or score.errors is None:
        return scores, further
    if SIGMA not in further.arrays:
        return scores, further
    sigma, names = sigma_of(further), (further.sequence.tolist(), further.frame.tolist())
    views = np.array(rows_of_frames(score.examples, *names))
    errors = np.full(sigma.shape, np.nan)
    errors[views] = score.errors.distance_mm
    told = cross_fitted(sigma, errors, names[0])
    columns = {} if told is None else {"expected_mpjpe_mm": told[views].mean(axis=1)}
    measured = _measures(sigma[views], errors[views], None if told is None else told[views])
    more = {**ours.more, "joint_errors": measured}
    judged = replace(ours, more=more, columns={**ours.columns, **columns})
    scores = {**scores, "human": {**scores["human"], row: judged}}
    return scores, further if told is None else with_told(further, told)


def keep_lines(folder: Path, scores: Scores, provenance: Provenance) -> None:
    """Write the method's lines for other data, where its uncertainty was judged; `scores` as judged."""
    row = scores.get("human", {}).get(provenance.method)
    told = row.more.get("joint_errors", {}) if row else {}
    if "lines" in told:
        hashes = provenance.checkpoint_hash, provenance.data_hash
        write_lines(folder, JointCalibration(*hashes, told["frames"], lines_of(told["lines"])))


def rank_correlation(told: np.ndarray, found: np.ndarray) -> float:
    """Spearman's: of ranks, ties with their mean rank; NaN where one of both is constant."""
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (told, found)]
    norm = np.sqrt(np.prod([rank @ rank for rank in ranks]))
    return float(ranks[0] @ ranks[1] / norm) if norm else float("nan")


def _measures(sigma: np.ndarray, errors: np.ndarray, told: np.ndarray | None) -> dict[str, Any]:
    """Of frames (N, 24); `told` are the calibrated errors, of those that can be calibrated."""
    found, given = errors[:, MOVING], sigma[:, MOVING]
    of = {"as_given": given, "each_mean": np.tile(found.mean(axis=0), (len(found), 1))}
    measured: dict[str, Any] = {"frames": len(found), "relative_to": "pelvis", "mean_mm": float(found.mean())}
    if told is not None:
        of["calibrated"] = told[:, MOVING]
        measured |= {"folds": FOLDS, "lines": vars(fit_lines(sigma, errors))}
    measured |= {name: _worth(values, found) for name, values in of.items()}
    return {**measured, "by_joint": _by_joint(of, found)}


def _worth(told: Errors, found: Errors) -> dict[str, Any]:
    """How well errors were told: in their order, of single joints and of frames, and in millimetres."""
    flat = told.ravel(), found.ravel()
    of_frames = told.mean(axis=1), found.mean(axis=1)
    gap = risk_curve(-flat[0], flat[1]) - oracle_curve(flat[1])
    numbers = {
        "spearman": rank_correlation(*flat),
        "spearman_frames": rank_correlation(*of_frames),
        "ause_mm": float(gap.mean()),
        "calibration_error_mm": calibration_error(*flat),
    }
    bins = {"reliability": reliability(*flat), "reliability_frames": reliability(*of_frames)}
    return {**finite(numbers), **{name: [list(part) for part in parts] for name, parts in bins.items()}}


def _by_joint(of: Mapping[str, Errors], found: Errors) -> dict[str, dict[str, float | None]]:
    told = of.get("calibrated", of["as_given"])
    return {
        name: finite(
            {
                "error_mm": float(found[:, j].mean()),
                "told_mm": float(told[:, j].mean()),
                "spearman": rank_correlation(told[:, j], found[:, j]),
            }
        )
        for j, name in enumerate(NAMES)
    }
