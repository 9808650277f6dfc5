"""From the uncertainty of joints to the error to expect of each, fitted on other frames (decision 0144)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from rhobin.files import write_json
from rhobin.scoring.calibration import FOLDS, FittedOn, folds_of
from rhobin.scoring.collect import Further

JOINT_LINES = "joint_calibration.json"
SIGMA, JOINT_ERRORS = "extras.joints_sigma_mm", "extras.joints_error_mm"
TOLD, SCORED = 29, 24
"""Joints that a method tells an uncertainty of; the first of them are scored."""

ROUNDS, CLOSE = 100, 1e-9
SMALLEST = 1e-3
"""Share of a joint's mean error below which no expected error weighs more."""

Column = Float[np.ndarray, " N"]
Joints = Float[np.ndarray, "N 24"]


@dataclass(frozen=True)
class JointLines:
    """A rising line for each scored joint: error to expect = offset + slope * uncertainty.

    Attributes:
        offset_mm: 24 errors where nothing is uncertain, at least 0.
        slope: 24 factors, at least 0.
    """

    offset_mm: tuple[float, ...]
    slope: tuple[float, ...]

    def __call__(self, sigma_mm: Joints) -> Joints:
        """Errors to expect (N, 24) at uncertainties (N, 24), millimetres."""
        return np.asarray(self.offset_mm) + np.asarray(self.slope) * sigma_mm


@dataclass(frozen=True)
class JointCalibration(FittedOn):
    """Lines and what they were fitted on; stored in a run folder.

    Attributes:
        lines: fitted on all scored frames.
    """

    lines: JointLines


def fit_lines(sigma_mm: Joints, error_mm: Joints) -> JointLines:
    """The lines under which errors are likeliest, if each is exponential with its expected error as mean.

    Args:
        sigma_mm: (N, 24) uncertainties, millimetres.
        error_mm: (N, 24) errors, millimetres.

    Returns:
        The lines; that of a joint that is never wrong is 0.
    """
    fitted = [fit_line(sigma_mm[:, j], error_mm[:, j]) for j in range(SCORED)]
    return JointLines(tuple(offset for offset, _ in fitted), tuple(slope for _, slope in fitted))


def fit_line(sigma_mm: Column, error_mm: Column) -> tuple[float, float]:
    """Offset and slope of one joint's line; arguments (N,) as of `fit_lines`.

    The likelihood's normal equations are those of least squares with weights 1 / expected error squared.
    """
    mean = float(error_mm.mean())
    if mean == 0:
        return 0.0, 0.0
    terms = np.stack([np.ones_like(sigma_mm), sigma_mm], axis=1)
    expected = np.full(len(error_mm), mean)
    for _ in range(ROUNDS):
        line, _ = nnls(terms / expected[:, None], error_mm / expected)
        before, expected = expected, np.maximum(terms @ line, SMALLEST * mean)
        if np.abs(expected - before).max() < CLOSE * mean:
            break
    return float(line[0]), float(line[1])


def cross_fitted(
    sigma_mm: Joints, error_mm: Joints, sequences: Sequence[str], folds: int = FOLDS
) -> Joints | None:
    """Errors to expect of frames, each by lines that have seen no frame of its sequence.

    Args:
        sigma_mm: (N, 24) uncertainties, millimetres.
        error_mm: (N, 24) errors, millimetres; NaN of a frame that was not scored.
        sequences: the sequence of each frame.
        folds: parts that the sequences are dealt into, in the order of their names.

    Returns:
        (N, 24) millimetres; None where all scored frames are of one sequence.
    """
    fold, scored = folds_of(sequences, folds), np.isfinite(error_mm).all(axis=1)
    if len(np.unique(fold[scored])) < 2:
        return None
    told = np.empty_like(sigma_mm)
    for part in np.unique(fold):
        held = fold == part
        known = scored & ~held
        told[held] = fit_lines(sigma_mm[known], error_mm[known])(sigma_mm[held])
    return told


def sigma_of(further: Further) -> Joints:
    """Uncertainty of the scored joints (N, 24), millimetres.

    Raises:
        ValueError: it is not one positive number for each of 29 joints.
    """
    sigma = further.arrays[SIGMA].astype(np.float64)
    if sigma.shape[1:] != (TOLD,):
        found = f"shape {sigma.shape}"
    elif not (np.isfinite(sigma) & (sigma >= 0)).all():
        found = f"{sigma[~(np.isfinite(sigma) & (sigma >= 0))][0]:g}"
    else:
        return sigma[:, :SCORED]
    raise ValueError(
        f"Prediction.extras['joints_sigma_mm']: expected shape ({len(sigma)}, {TOLD}), millimetres of at "
        f"least 0, found {found}. Change the method's decode, then: "
        "python eval.py run=RUN force=true"
    )


def write_lines(folder: Path, calibration: JointCalibration) -> None:
    """Write ``joint_calibration.json``."""
    write_json(folder / JOINT_LINES, asdict(calibration), indent=2)


def read_lines(folder: Path) -> JointCalibration | None:
    """Read ``joint_calibration.json``; None where there is none."""
    path = folder / JOINT_LINES
    if not path.is_file():
        return None
    content = json.loads(path.read_bytes())
    return JointCalibration(**content | {"lines": lines_of(content["lines"])})


def lines_of(content: Mapping[str, Any]) -> JointLines:
    """Lines from plain data."""
    return JointLines(tuple(content["offset_mm"]), tuple(content["slope"]))


def with_joint_errors(further: Further, folder: Path, checkpoint_hash: str, data_hash: str) -> Further:
    """Predictions with the errors to expect, where the run has lines fitted on other data.

    Args:
        further: what a method predicted beyond the challenge's format.
        folder: the run folder.
        checkpoint_hash: SHA-256 of the checkpoint that predicted.
        data_hash: hash of the data that it predicted.

    Returns:
        The same, with ``extras.joints_error_mm`` (N, 24) where it can be told.

    Raises:
        ValueError: the uncertainty is malformed.
    """
    known = read_lines(folder)
    if known is None or SIGMA not in further.arrays or not known.reads(checkpoint_hash, data_hash):
        return further
    return with_told(further, known.lines(sigma_of(further)))


def with_told(further: Further, error_mm: Joints) -> Further:
    """Predictions with the errors to expect (N, 24), millimetres."""
    return replace(further, arrays={**further.arrays, JOINT_ERRORS: error_mm.astype(np.float32)})
