"""From a method's confidence to the probability that it is right, fitted on other frames (decision 0119)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import expit, logit

from rhobin.files import write_json
from rhobin.scoring.collect import Further

CALIBRATION = "calibration.json"
CONFIDENCE, PROBABILITY = "extras.confidence", "probability"
FOLDS = 5

_CLIP = 1e-3  # confidences nearer 0 or 1 count as this: one certain mistake must not decide the fit

Values = Float[np.ndarray, " N"]
Right = Bool[np.ndarray, " N"]


@dataclass(frozen=True)
class Calibrator:
    """A logistic curve on the logit of a confidence; it never falls.

    Attributes:
        slope: at least 0; 0 where the confidence tells nothing.
        offset: added after it.
    """

    slope: float
    offset: float

    def __call__(self, confidence: Values) -> Values:
        """Probabilities (N,) of confidences (N,) in [0, 1]."""
        return expit(self.slope * _logit(confidence) + self.offset)


@dataclass(frozen=True)
class Calibration:
    """A calibrator and what it was fitted on; stored in a run folder.

    Attributes:
        calibrator: fitted on all scored frames.
        checkpoint_hash: SHA-256 of the checkpoint whose confidence it reads.
        data_hash: hash of the data that it was fitted on.
        frames: number of those frames.
        right: what is right, in words.
    """

    calibrator: Calibrator
    checkpoint_hash: str
    data_hash: str
    frames: int
    right: str


def fit_calibrator(confidence: Values, right: Right) -> Calibrator:
    """The most likely logistic curve that does not fall (Platt 1999, with his targets).

    Args:
        confidence: (N,) in [0, 1].
        right: (N,) whether the method was right.

    Returns:
        The calibrator; constant where no confidence or no answer differs from the others.
    """
    hits = int(right.sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))
    x = _logit(confidence)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[0] * x + parameters[1]
        rest = expit(z) - target
        return float(np.mean(np.logaddexp(0, z) - target * z)), np.array([np.mean(rest * x), np.mean(rest)])

    begin = np.array([0.0, logit(target.mean())])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return Calibrator(*(float(value) for value in found.x))


def cross_fitted(
    confidence: Values, right: Right, sequences: Sequence[str], folds: int = FOLDS
) -> Values | None:
    """Probabilities of frames, each by a calibrator that has seen no frame of its sequence.

    Args:
        confidence: (N,) in [0, 1].
        right: (N,) whether the method was right.
        sequences: the sequence of each frame.
        folds: parts that the sequences are dealt into, in the order of their names.

    Returns:
        (N,) probabilities; None where all frames are of one sequence.
    """
    _, of_frame = np.unique(np.asarray(sequences), return_inverse=True)
    fold = of_frame % folds
    if len(np.unique(fold)) < 2:
        return None
    probability = np.empty(len(confidence))
    for part in np.unique(fold):
        held = fold == part
        probability[held] = fit_calibrator(confidence[~held], right[~held])(confidence[held])
    return probability


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write ``calibration.json``."""
    write_json(folder / CALIBRATION, asdict(calibration), indent=2)


def read_calibration(folder: Path) -> Calibration | None:
    """Read ``calibration.json``; None where there is none."""
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    content = json.loads(path.read_text())
    return Calibration(**content | {"calibrator": Calibrator(**content["calibrator"])})


def with_probability(further: Further, folder: Path, checkpoint_hash: str, data_hash: str) -> Further:
    """Predictions with calibrated confidence, where the run has a calibration on other data.

    Args:
        further: what a method predicted beyond the challenge's format.
        folder: the run folder.
        checkpoint_hash: SHA-256 of the checkpoint that predicted.
        data_hash: hash of the data that it predicted.

    Returns:
        The same, with ``probability`` (N,) where it can be told.
    """
    known = read_calibration(folder)
    if known is None or CONFIDENCE not in further.arrays:
        return further
    if known.checkpoint_hash != checkpoint_hash or known.data_hash == data_hash:
        return further
    probability = known.calibrator(further.arrays[CONFIDENCE].astype(np.float64))
    return replace(further, arrays={**further.arrays, PROBABILITY: probability})


def _logit(confidence: Values) -> Values:
    return logit(np.clip(confidence, _CLIP, 1 - _CLIP))
