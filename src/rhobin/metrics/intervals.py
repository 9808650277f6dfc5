"""How far a score depends on which sequences were tested (decision 0173).

Frames of one sequence are alike, so the sequences are what chance has drawn. A score is the mean of frames,
so that a long sequence weighs more. Its error follows from how far the sequences' own means are from it, each
weighed by its length and made up for its own pull on the mean; Student's t takes as many degrees of freedom
as that sum of squares has. Source: Bell and McCaffrey 2002, for clusters of unequal size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit
from scipy.stats import t as student

LEVEL = 0.95


@dataclass(frozen=True)
class SequenceMean:
    """A mean over frames, and how far it is from that of all sequences that could have been tested.

    Attributes:
        value: the mean; NaN where no frame counts.
        error: its standard error; NaN where fewer than two sequences count.
        freedom: degrees of freedom of that error.
    """

    value: float
    error: float
    freedom: float

    def interval(self, top: float | None = None, signed: bool = False) -> tuple[float, float]:
        """The interval that holds the true mean in 95 of 100 test sets; NaN where nothing is known.

        Args:
            top: the largest value that there is; the interval is even in log(value / (top - value)). None for
                values without one: it is even in the logarithm.
            signed: the values may be negative, as differences are: it is even as it is.
        """
        if np.isnan(self.error):
            return np.nan, np.nan
        if not self.error or self.value in (0, top):
            return self.value, self.value
        reach = float(student.ppf((1 + LEVEL) / 2, self.freedom)) * self.error
        if signed:
            return self.value - reach, self.value + reach
        if top is None:
            with np.errstate(over="ignore"):
                factor = float(np.exp(reach / self.value))
            return self.value / factor, self.value * factor
        share = self.value / top
        ends = logit(share) + np.array([-1, 1]) * reach / top / (share * (1 - share))
        low, high = top * expit(ends)
        return float(low), float(high)

    def chance(self) -> float:
        """The p-value of a true mean of zero: of the two-sided t test that the interval belongs to."""
        if not self.error:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * student.sf(abs(self.value) / self.error, self.freedom))


def sequence_mean(
    values: Float[np.ndarray, " N"], groups: Sequence[str], by_sequence: bool = False
) -> SequenceMean:
    """The mean of frames, with what is known of it from how sequences differ.

    Args:
        values: (N,) of frames; NaN for one that does not count.
        groups: the sequence of each frame.
        by_sequence: every sequence weighs the same, not every frame.
    """
    counted = ~np.isnan(values)
    names, owner = np.unique(np.asarray(groups, dtype=str)[counted], return_inverse=True)
    if not len(names):
        return SequenceMean(np.nan, np.nan, np.nan)
    counts = np.bincount(owner)
    means = np.bincount(owner, values[counted]) / counts
    share = np.full(len(names), 1 / len(names)) if by_sequence else counts / counts.sum()
    value = float(share @ means)
    if len(names) < 2 or not np.isfinite(value):
        return SequenceMean(value, np.nan, np.nan)
    kept = 1 - 2 * share + share @ share  # of a mean's variance in its distance from the score
    scale = share**2 / kept
    error = float(np.sqrt(scale @ (means - value) ** 2))
    shared = np.eye(len(names)) - share[:, None] - share + share @ share
    freedom = float((share @ share) ** 2 / (scale @ shared**2 @ scale))
    return SequenceMean(value, error, freedom)
