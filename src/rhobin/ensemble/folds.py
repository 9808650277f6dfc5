"""Folds of whole sequences."""

from __future__ import annotations

import numpy as np

FOLDS = 5


def folds_by_sequence(sequence: np.ndarray, count: int = FOLDS) -> np.ndarray:
    """Number the views so that each sequence is in one fold and folds are about equally large.

    Longest sequences first, each goes to the smallest fold: the same for any order of the views.

    Args:
        sequence: (N,) sequence names.
        count: folds; fewer where there are fewer sequences.

    Returns:
        (N,) fold of each view, from 0.
    """
    names, owner, sizes = np.unique(sequence, return_inverse=True, return_counts=True)
    filled = np.zeros(min(count, len(names)), int)
    fold_of = np.zeros(len(names), int)
    for row in np.argsort(-sizes, kind="stable"):
        fold_of[row] = filled.argmin()
        filled[fold_of[row]] += sizes[row]
    return fold_of[owner]
