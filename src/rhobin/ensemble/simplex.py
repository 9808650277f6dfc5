"""Weights that are not negative and sum to one, and minimise a quadratic: solved exactly."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

NUDGE = 1e-12  # of the mean diagonal: makes products of equal members definite


def simplex_weights(
    gram: Float[np.ndarray, "M M"], centre: Float[np.ndarray, " M"], pull: float = 0.0
) -> Float[np.ndarray, " M"]:
    """The weights w >= 0 with sum 1 that minimise ``w' G w + pull tr(G) / M |w - centre|^2``.

    On the simplex the sum is homogeneous, ``w' A w`` with A positive definite, and its minimiser is the
    non-negative u that minimises ``u' A u - 2 sum(u)``, divided by its sum: both meet the same conditions
    of optimality. That is a least-squares problem for the active-set method of Lawson and Hanson.

    Args:
        gram: products of the members' errors, positive semi-definite.
        centre: weights to stay near to.
        pull: how strongly, in mean squared errors of a member; infinite gives `centre` itself.

    Returns:
        The weights. Without any error they are `centre`.
    """
    count = len(gram)
    size = np.trace(gram) / count
    if not size > 0 or np.isinf(pull):
        return centre.copy()
    away = np.eye(count) - np.outer(centre, np.ones(count))
    A = gram / size + pull * away.T @ away + NUDGE * np.eye(count) + np.ones((count, count))
    L = np.linalg.cholesky(A)
    found, _ = nnls(L.T, np.linalg.solve(L, np.ones(count)), maxiter=100 * count)
    return found / found.sum()
