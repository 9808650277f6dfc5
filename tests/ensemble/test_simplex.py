"""Weights on the simplex are the best ones: against SciPy's SLSQP, and against all weights of a fine grid."""

import numpy as np
import pytest
from scipy.optimize import minimize

from rhobin.ensemble.simplex import simplex_weights


def error(w, gram, centre, pull):
    return w @ gram @ w + pull * np.trace(gram) / len(w) * np.sum((w - centre) ** 2)


def errors_of_members(seed, members, correlated=0.9):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(200, 1))
    return (correlated * common + rng.normal(size=(200, members))) * rng.uniform(0.5, 3, members)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pull", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("members", [2, 7, 26])
def test_it_is_as_good_as_slsqp(seed, pull, members):
    errors = errors_of_members(seed, members)
    gram = errors.T @ errors
    centre = np.random.default_rng(seed).dirichlet(np.ones(members))
    w = simplex_weights(gram, centre, pull)
    size = np.trace(gram)
    found = minimize(
        lambda x: error(x, gram, centre, pull) / size,
        centre,
        method="SLSQP",
        bounds=[(0, 1)] * members,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    assert w.min() >= 0
    assert w.sum() == pytest.approx(1, abs=1e-12)
    assert error(w, gram, centre, pull) <= error(found.x, gram, centre, pull) * (1 + 1e-9)
    np.testing.assert_allclose(w, found.x, atol=2e-4)


def test_no_weights_of_a_grid_are_better():
    errors = errors_of_members(3, 3)
    gram, centre = errors.T @ errors, np.full(3, 1 / 3)
    best = error(simplex_weights(gram, centre), gram, centre, 0)
    grid = [np.array((a, b, 100 - a - b)) / 100 for a in range(101) for b in range(101 - a)]
    assert best <= min(error(w, gram, centre, 0) for w in grid) + 1e-9


def test_equal_members_share_their_weight_when_drawn_to_equal_weights():
    errors = errors_of_members(0, 3)[:, [0, 0, 1]]
    w = simplex_weights(errors.T @ errors, np.full(3, 1 / 3), 0.01)
    assert w[0] == pytest.approx(w[1], abs=1e-6)


def test_without_error_or_with_an_infinite_pull_it_is_the_centre():
    centre = np.array([0.2, 0.5, 0.3])
    np.testing.assert_array_equal(simplex_weights(np.zeros((3, 3)), centre), centre)
    np.testing.assert_array_equal(simplex_weights(np.diag([1.0, 2, 3]), centre, np.inf), centre)


def test_one_member_has_all_the_weight():
    assert simplex_weights(np.array([[3.0]]), np.ones(1), 0.01).tolist() == [1.0]
