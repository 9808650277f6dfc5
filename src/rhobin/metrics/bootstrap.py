"""How far a score depends on which sequences were tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def resampled_means(
    values: Float[np.ndarray, "N S"], groups: Sequence[str], draws: int = 10_000, seed: int = 0
) -> Float[np.ndarray, "D S"]:
    """Means over frames of sets of sequences drawn with replacement, each as many as there are.

    Frames of a sequence are alike, so sequences are drawn, and the frames of those drawn are pooled as a
    score pools them: a sequence with more frames weighs more. Columns share the draws, so that the
    difference of two columns is resampled in pairs.

    Args:
        values: (N, S) scores of single frames.
        groups: the sequence of each frame.
        draws: number of sets.
        seed: of the draws.

    Returns:
        (D, S) a mean of every column for each set.

    Raises:
        ValueError: there are fewer than two sequences, so nothing can vary.
    """
    names, owner = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"expected frames of at least two sequences to draw from, found {len(names)}")
    member = owner == np.arange(len(names))[:, None]
    sums, counts = member @ np.asarray(values, np.float64), member.sum(axis=1)
    weights = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    return (weights @ sums) / (weights @ counts)[:, None]
