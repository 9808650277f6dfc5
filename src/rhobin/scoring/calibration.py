"""From a method's confidence to the probability that it is right, fitted on other frames (decision 0119)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import isotonic_regression

from rhobin.files import write_json
from rhobin.scoring.collect import Further

CALIBRATION = "calibration.json"
CONFIDENCE, PROBABILITY = "extras.confidence", "probability"
FOLDS = 5

Values = Float[np.ndarray, " N"]
Right = Bool[np.ndarray, " N"]


@dataclass(frozen=True)
class Calibrator:
    """A curve that never falls: straight between its knots, level beyond them.

    Attributes:
        confidence: knots, in rising order.
        probability: of being right at each of them.
    """

    confidence: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, confidence: Values) -> Values:
        """Probabilities (N,) of confidences (N,) in [0, 1]."""
        return np.interp(confidence, self.confidence, self.probability)


@dataclass(frozen=True)
class FittedOn:
    """What a calibration was fitted on.

    Attributes:
        checkpoint_hash: SHA-256 of the checkpoint whose predictions it reads.
        data_hash: hash of the data that it was fitted on.
        frames: number of those frames.
    """

    checkpoint_hash: str
    data_hash: str
    frames: int

    def reads(self, checkpoint_hash: str, data_hash: str) -> bool:
        """Whether it may read predictions: of the same checkpoint, on data that it was not fitted on."""
        return self.checkpoint_hash == checkpoint_hash and self.data_hash != data_hash


@dataclass(frozen=True)
class Calibration(FittedOn):
    """A calibrator and what it was fitted on; stored in a run folder.

    Attributes:
        calibrator: fitted on all scored frames.
        right: what is right, in words.
    """

    calibrator: Calibrator
    right: str


def fit_calibrator(confidence: Values, right: Right) -> Calibrator:
    """Isotonic regression of being right on confidence.

    One right frame of confidence 0 and one wrong frame of confidence 1 are added, so that nothing is certain.

    Args:
        confidence: (N,) in [0, 1].
        right: (N,) whether the method was right.

    Returns:
        The calibrator, whose knots are the ends of its level parts.
    """
    places, group = np.unique(np.append(confidence, [0.0, 1.0]), return_inverse=True)
    counts = np.bincount(group)
    shares = np.bincount(group, np.append(right, [1.0, 0.0])) / counts
    level = isotonic_regression(shares, weights=counts).x
    changes = np.diff(level) > 0
    ends = np.append(True, changes) | np.append(changes, True)
    return Calibrator(tuple(places[ends].tolist()), tuple(level[ends].tolist()))


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
    fold = folds_of(sequences, folds)
    if len(np.unique(fold)) < 2:
        return None
    probability = np.empty(len(confidence))
    for part in np.unique(fold):
        held = fold == part
        probability[held] = fit_calibrator(confidence[~held], right[~held])(confidence[held])
    return probability


def folds_of(sequences: Sequence[str], folds: int = FOLDS) -> Int[np.ndarray, " N"]:
    """The part (N,) that each frame belongs to; sequences are dealt in the order of their names."""
    _, of_frame = np.unique(np.asarray(sequences), return_inverse=True)
    return of_frame % folds


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write ``calibration.json``."""
    write_json(folder / CALIBRATION, asdict(calibration), indent=2)


def read_calibration(folder: Path) -> Calibration | None:
    """Read ``calibration.json``; None where there is none."""
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    content = json.loads(path.read_bytes())
    return Calibration(**content | {"calibrator": calibrator_of(content["calibrator"])})


def calibrator_of(content: Mapping[str, Sequence[float]]) -> Calibrator:
    """A calibrator from plain data."""
    return Calibrator(tuple(content["confidence"]), tuple(content["probability"]))


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
    if known is None or CONFIDENCE not in further.arrays or not known.reads(checkpoint_hash, data_hash):
        return further
    probability = known.calibrator(further.arrays[CONFIDENCE].astype(np.float64))
    return replace(further, arrays={**further.arrays, PROBABILITY: probability})
