"""How far a method's confidence in its object poses can be trusted (decision 0119)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.metrics.object_track import ObjectScore
from rhobin.scoring.by_image import rows_of_frames
from rhobin.scoring.calibration import (
    CONFIDENCE,
    FOLDS,
    Calibration,
    calibrator_of,
    cross_fitted,
    fit_calibrator,
    write_calibration,
)
from rhobin.scoring.collect import Further
from rhobin.scoring.document import Scores
from rhobin.scoring.risk import (
    Right,
    Values,
    brier,
    calibration_error,
    oracle_curve,
    risk_curve,
    risk_of_surest,
    separation,
)
from rhobin.scoring.store import Provenance
from rhobin.scoring.track import finite

RIGHT_SHARE = 0.2
"""A pose is right where MSSD is below this share of the diameter: the fourth of the ten official steps."""

RIGHT = f"MSSD below {RIGHT_SHARE:g} of the diameter"
COVERED = 0.8


def judged_scores(scores: Scores, row: str, further: Further) -> Scores:
    """Scores with what the confidence of one row is worth, where it gives one and its objects have a score.

    Args:
        scores: scored rows by track and row.
        row: the row that `further` belongs to.
        further: what the method says of each view; ``extras.confidence`` (N,) in [0, 1] is judged.

    Returns:
        The same scores. The row of the object track has ``confidence`` in `more`, and columns ``confidence``
        and ``probability``, calibrated on the frames of other sequences.

    Raises:
        ValueError: the confidence is not one number in [0, 1] for each view.
    """
    ours = scores.get("object", {}).get(row)
    score = ours.score if ours else None
    if ours is None or not isinstance(score, ObjectScore) or score.errors is None:
        return scores
    if CONFIDENCE not in further.arrays:
        return scores
    views = _views(score, further)
    confidence = _checked(further.arrays[CONFIDENCE])[views]
    right = is_right(score)
    probability = cross_fitted(confidence, right, further.sequence[views].tolist())
    columns = {"confidence": confidence} | ({} if probability is None else {"probability": probability})
    told = _measures(confidence, right, probability)
    judged = replace(ours, more={**ours.more, "confidence": told}, columns={**ours.columns, **columns})
    return {**scores, "object": {**scores["object"], row: judged}}


def is_right(score: ObjectScore) -> Right:
    """Which of the scored frames are right: `RIGHT`."""
    return score.errors.mssd_mm < RIGHT_SHARE * score.errors.diameter_mm


def keep_calibration(folder: Path, scores: Scores, provenance: Provenance) -> None:
    """Write the method's calibration for other data, where its confidence was judged; `scores` as judged."""
    row = scores.get("object", {}).get(provenance.method)
    told = row.more.get("confidence", {}) if row else {}
    if "calibrator" in told:
        calibrator = calibrator_of(told["calibrator"])
        hashes = provenance.checkpoint_hash, provenance.data_hash
        write_calibration(folder, Calibration(*hashes, told["frames"], calibrator, told["right"]))


def _views(score: ObjectScore, further: Further) -> np.ndarray:
    """Rows of `further` that the scored frames were predicted in."""
    return np.array(rows_of_frames(score.examples, further.sequence.tolist(), further.frame.tolist()))


def _checked(confidence: np.ndarray) -> Values:
    values = confidence.astype(np.float64)
    if values.ndim != 1:
        found = f"{values.shape[1:]} numbers"
    elif not ((values >= 0) & (values <= 1)).all():
        found = f"{values[~((values >= 0) & (values <= 1))][0]:g}"
    else:
        return values
    raise ValueError(
        f"Prediction.extras['confidence']: expected one number in [0, 1] for each view, found {found}. "
        "Change the method's decode, then: python eval.py run=RUN force=true"
    )


def _measures(confidence: Values, right: Right, probability: Values | None) -> dict[str, Any]:
    wrong, oracle = (~right).astype(np.float64), oracle_curve((~right).astype(np.float64))
    curve = risk_curve(confidence, wrong)
    measures = {
        "share_right": float(right.mean()),
        "auroc": separation(confidence, right),
        "area_under_risk": float(curve.mean()),
        "area_of_oracle": float(oracle.mean()),
        "risk_of_surest": risk_of_surest(curve, COVERED),
        "calibration_error_raw": calibration_error(confidence, right),
        "brier_raw": brier(confidence, right),
    }
    told = {"right": RIGHT, "frames": len(right)}
    if probability is None:
        return {**told, **finite(measures)}
    measures["calibration_error"] = calibration_error(probability, right)
    measures["brier"] = brier(probability, right)
    fitted = {"folds": FOLDS, "calibrator": vars(fit_calibrator(confidence, right))}
    return {**told, **finite(measures), **fitted}
