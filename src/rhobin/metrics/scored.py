"""What the scores of all tracks share: the scored frames and how they were counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rhobin.metrics.submission import Example


@dataclass(frozen=True)
class ScoredFrames:
    """A track's score.

    Attributes:
        examples: scored frames.
        errors: their errors; None below the coverage gate.
        visible: number of true frames that count.
        coverage: predicted over visible frames, as the official evaluator counts: with hidden and repeated
            predictions, so that it may exceed 1.
        missing: visible frames without a prediction.
        protocol: how it was computed.
        notes: what the evaluator silently accepted.
    """

    examples: tuple[Example, ...]
    errors: Any
    visible: int
    coverage: float
    missing: tuple[str, ...]
    protocol: Any
    notes: tuple[str, ...] = ()
    names: ClassVar[tuple[str, ...]] = ()
    track: ClassVar[str] = ""

    def metrics(self, rows: np.ndarray | None = None) -> dict[str, float]:
        """The scores under their official names (`names`), of all frames or of some.

        Args:
            rows: indices of scored frames; None for all, with missing ones as the protocol has it.

        Returns:
            Distances in mm or pixels, angles in degrees, PCK in percent, AUC and recalls in [0, 1]. All
            infinite below the coverage gate.
        """
        if self.errors is None:
            return dict.fromkeys(self.names, math.inf)
        missing = len(self.missing) if rows is None and self.protocol.missing_fails else 0
        chosen = np.arange(len(self.examples)) if rows is None else rows
        return self.summarise(chosen, missing)

    def summarise(self, rows: np.ndarray, missing: int) -> dict[str, float]:
        """The scores of some frames, with further ones that fail."""
        raise NotImplementedError

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each, by name with unit; empty below the coverage gate."""
        raise NotImplementedError


def mean_or_lost(values: np.ndarray, missing: int) -> float:
    """The mean; infinite where a frame failed, NaN where there is none."""
    return math.inf if missing else float(np.mean(values)) if values.size else math.nan


def mean_of_sequences(values: np.ndarray, groups: Sequence[str]) -> float:
    """The mean of each group's mean, of values that count: those that are no NaN. NaN where none counts.

    Args:
        values: (N,) of frames.
        groups: what each frame's mean is taken with: its sequence, or one name for all.
    """
    counts = np.isfinite(values)
    if not counts.any():
        return math.nan
    _, owner = np.unique(np.asarray(groups)[counts], return_inverse=True)
    return float(np.mean(np.bincount(owner, values[counts]) / np.bincount(owner)))
