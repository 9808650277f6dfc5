"""What a confidence is worth: risk over coverage, order, and agreement with how often it is right."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

BINS = 10

Values = Float[np.ndarray, " N"]
Right = Bool[np.ndarray, " N"]


def risk_curve(confidence: Values, wrong: Values) -> Values:
    """Mean loss of the k surest frames for k = 1 ... N; frames of equal confidence count with their mean.

    Args:
        confidence: (N,) higher is surer.
        wrong: (N,) loss of each frame: 1 where it is wrong, or any error.

    Returns:
        (N,) risk at coverage k / N.
    """
    _, group = np.unique(-confidence, return_inverse=True)
    counts = np.bincount(group)
    means = np.bincount(group, wrong) / counts
    return np.cumsum(np.repeat(means, counts)) / np.arange(1, len(wrong) + 1)


def oracle_curve(wrong: Values) -> Values:
    """The risk curve of a confidence that knows the losses: no other lies below it."""
    return risk_curve(-wrong, wrong)


def risk_of_surest(curve: Values, coverage: float) -> float:
    """The risk curve at a coverage in (0, 1]: of at least one frame."""
    return float(curve[max(round(coverage * len(curve)), 1) - 1])


def separation(confidence: Values, right: Right) -> float:
    """Chance that a right frame has the higher confidence of a right and a wrong one (AUROC; ties are half).

    Args:
        confidence: (N,).
        right: (N,) whether a frame is right.

    Returns:
        In [0, 1]; NaN where all are right or all wrong.
    """
    hits = int(right.sum())
    pairs = hits * (len(right) - hits)
    if not pairs:
        return float("nan")
    return float((rankdata(confidence)[right].sum() - hits * (hits + 1) / 2) / pairs)


def reliability(told: Values, found: Values | Right, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Mean of what was told, of what was found, and their number, from least to most told in equal bins.

    Args:
        told: (N,) probability that a frame is right, or expected error.
        found: (N,) whether it is right, or its error.
        bins: at most; fewer for few frames.
    """
    parts = np.array_split(np.argsort(told, kind="stable"), min(bins, len(found)))
    return [(float(told[part].mean()), float(found[part].mean()), len(part)) for part in parts]


def calibration_error(told: Values, found: Values | Right) -> float:
    """Expected calibration error: mean of |told - found| over the bins of `reliability`."""
    table = reliability(told, found)
    return sum(count * abs(mean - true) for mean, true, count in table) / len(found)


def brier(probability: Values, right: Right) -> float:
    """Mean squared distance of probabilities from what happened."""
    return float(np.mean((probability - right) ** 2))
