"""How often intervals of a score hold the truth: simulated test sets, and six ways to make an interval.

    python tools/trials/interval_coverage.py --sets 1000 --sequences 24 40

Frames of a sequence share a random effect; sequences have 12 to 120 frames, log-uniformly. Settings were
fixed before any interval was tried: log-normal errors (standard deviation 0.4 between sequences, 0.5 within),
recalls that are logistic and rounded to tenths (1.0 and 1.5), differences of two methods that share most of
both; and errors harder than we expect of data (0.8 and 0.7). Decision 0173 has the table.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import bootstrap, norm
from scipy.stats import t as student

from rhobin.metrics.intervals import sequence_mean

STEPS = (np.arange(10) + 0.5) / 10
"""Shares at which a recall of ten thresholds is rounded up."""

Interval = tuple[float, float]


def recall(x: np.ndarray) -> np.ndarray:
    """Logistic shares, rounded to tenths."""
    return np.round(10 * expit(x)) / 10


def mean_recall(mean: float, variance: float) -> float:
    """The mean of `recall` of a normal number."""
    return float(np.mean(norm.sf((logit(STEPS) - mean) / np.sqrt(variance))))


def log_normal(variance: float) -> float:
    """The mean of the exponential of a normal number about 0."""
    return float(np.exp(variance / 2))


@dataclass(frozen=True)
class Setting:
    """How frames come about, from four standard normal numbers each: two are those of its sequence.

    Attributes:
        frames: values of frames from own, lead, e, f, (N,) each.
        truth: their mean.
        top: the largest value that there is.
        signed: whether they may be negative.
    """

    frames: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    truth: float
    top: float | None = None
    signed: bool = False


def errors(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Log-normal errors."""
    return np.exp(0.4 * own + 0.5 * e)


def recalls(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Recalls of 0.58 in the mean."""
    return recall(0.5 + own + 1.5 * e)


def high_recalls(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Recalls of 0.89 in the mean."""
    return recall(3 + own + 1.5 * e)


def lead_in_errors(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """A second method's errors minus the first's: a tenth lower at the median."""
    return 0.9 * np.exp(0.4 * own + 0.2 * lead + 0.35 * e + 0.35 * f) - errors(own, lead, e, f)


def lead_in_recalls(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """A second method's recalls minus the first's."""
    return recall(0.8 + own + 0.4 * lead + 1.2 * e + 0.9 * f) - recalls(own, lead, e, f)


def harder_errors(own: np.ndarray, lead: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Log-normal errors of sequences that differ twice as much."""
    return np.exp(0.8 * own + 0.7 * e)


MEAN_ERROR, MEAN_RECALL = log_normal(0.16 + 0.25), mean_recall(0.5, 1 + 2.25)
SETTINGS = {
    "errors": Setting(errors, MEAN_ERROR),
    "recalls": Setting(recalls, MEAN_RECALL, 1.0),
    "high recalls": Setting(high_recalls, mean_recall(3, 1 + 2.25), 1.0),
    "lead in errors": Setting(
        lead_in_errors, 0.9 * log_normal(0.16 + 0.04 + 0.245) - MEAN_ERROR, signed=True
    ),
    "lead in recalls": Setting(
        lead_in_recalls, mean_recall(0.8, 1 + 0.16 + 1.44 + 0.81) - MEAN_RECALL, signed=True
    ),
    "harder errors": Setting(harder_errors, log_normal(0.64 + 0.49)),
}


def simulated(setting: Setting, sequences: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Frames of one test set, and the sequence of each."""
    counts = np.round(np.exp(rng.uniform(np.log(12), np.log(120), sequences))).astype(int)
    of_sequence = (np.repeat(rng.normal(size=sequences), counts) for _ in range(2))
    of_frame = (rng.normal(size=counts.sum()) for _ in range(2))
    return setting.frames(*of_sequence, *of_frame), np.repeat(np.arange(sequences), counts)


def intervals(
    values: np.ndarray, groups: np.ndarray, setting: Setting, rng: np.random.Generator, draws: int
) -> dict[str, Interval]:
    """The interval of one test set by each of the ways."""
    found = sequence_mean(values, groups.astype(str).tolist())
    sums, counts = np.bincount(groups, values), np.bincount(groups).astype(float)
    mean, size = found.value, len(sums)
    off = sums - counts * mean
    error = float(np.sqrt(size / (size - 1) * off @ off) / counts.sum())
    reach = float(student.ppf(0.975, size - 1)) * error
    return {
        "percentile": _scipy(sums, counts, "percentile", rng, draws),
        "BCa": _scipy(sums, counts, "BCa", rng, draws),
        "bootstrap-t": _studentised(sums, counts, error, rng, draws),
        "t": (mean - reach, mean + reach),
        "Bell-McCaffrey": found.interval(signed=True),
        "ours": found.interval(setting.top, setting.signed),
    }


def _scipy(
    sums: np.ndarray, counts: np.ndarray, method: str, rng: np.random.Generator, draws: int
) -> Interval:
    """SciPy's bootstrap of whole sequences."""

    def pooled(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.sum(axis=axis) / b.sum(axis=axis)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = bootstrap(
            (sums, counts), pooled, paired=True, vectorized=True, n_resamples=draws, method=method, rng=rng
        )
    return float(done.confidence_interval.low), float(done.confidence_interval.high)


def _studentised(
    sums: np.ndarray, counts: np.ndarray, error: float, rng: np.random.Generator, draws: int
) -> Interval:
    """The bootstrap of (mean - truth) / error, with an error for each draw."""
    size, mean = len(sums), sums.sum() / counts.sum()
    weights = rng.multinomial(size, np.full(size, 1 / size), draws).astype(float)
    totals = weights @ counts
    means = weights @ sums / totals
    squares = weights @ sums**2 - 2 * means * (weights @ (sums * counts)) + means**2 * (weights @ counts**2)
    errors = np.sqrt(size / (size - 1) * np.maximum(squares, 0)) / totals
    low, high = np.quantile((means - mean)[errors > 0] / errors[errors > 0], [0.025, 0.975])
    return float(mean - high * error), float(mean - low * error)


def coverage(name: str, sequences: int, sets: int, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """Percent of test sets whose interval holds the truth, and the intervals' median width, by way."""
    setting, rng = SETTINGS[name], np.random.default_rng([seed, sequences, list(SETTINGS).index(name)])
    found = [intervals(*simulated(setting, sequences, rng), setting, rng, draws) for _ in range(sets)]
    return {
        way: (
            100 * float(np.mean([one[way][0] <= setting.truth <= one[way][1] for one in found])),
            float(np.median([one[way][1] - one[way][0] for one in found])),
        )
        for way in found[0]
    }


def main() -> None:
    """Print a table as Markdown: coverage, and in brackets the width in that of the last column."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sets", type=int, default=1000, help="simulated test sets of each setting")
    parser.add_argument("--sequences", type=int, nargs="+", default=[24, 40])
    parser.add_argument("--draws", type=int, default=1000, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for sequences in args.sequences:
        for name in SETTINGS:
            began = time.monotonic()
            found = coverage(name, sequences, args.sets, args.draws, args.seed)
            widest = found["ours"][1]
            cells = (f"{held:.1f} ({width / widest:.2f})" for held, width in found.values())
            if name == next(iter(SETTINGS)) and sequences == args.sequences[0]:
                print(f"| | sequences | {' | '.join(found)} |\n|{'---|' * (len(found) + 2)}")
            line = f"| {name} | {sequences} | {' | '.join(cells)} |"
            print(line, f"<!-- {time.monotonic() - began:.0f} s -->", flush=True)


if __name__ == "__main__":
    main()
