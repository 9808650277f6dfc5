"""Accelerations against the tracking challenge's definition, and which frames have one."""

import numpy as np
import pytest

from rhobin.metrics.places import acceleration_errors, evenly_spaced
from rhobin.metrics.scored import mean_of_sequences

NAMES = [f"t{k / 30:08.3f}" for k in range(8)]


def test_accelerations_are_the_challenges():
    pred, true = np.random.default_rng(0).normal(size=(2, 8, 3))
    expected = []  # |a_true - a_pred| with a = x0 - 2 x1 + x2, millimetres
    for k in range(1, 7):
        a, b = (x[k - 1] - 2 * x[k] + x[k + 1] for x in (true, pred))
        expected.append(1000 * np.sqrt(((a - b) ** 2).sum()))
    found = acceleration_errors(pred, true, evenly_spaced(range(8), NAMES))
    assert np.isnan(found[[0, 7]]).all()
    np.testing.assert_allclose(found[1:7], expected)


def test_a_prediction_that_is_off_by_a_steady_motion_has_no_acceleration_error():
    true = np.random.default_rng(1).normal(size=(5, 3))
    moved = true + np.arange(5)[:, None] * [0.1, 0, -0.2] + [1, 2, 3]
    np.testing.assert_allclose(acceleration_errors(moved, true, [1, 2, 3])[1:4], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("targets", "frames", "middle"),
    [
        (range(4), NAMES[:4], [1, 2]),
        ([0, 1, 3, 4, 5], NAMES[:5], [3]),  # the third true frame is not scored
        (range(4), ["t0003.000", "t0004.000", "t0006.000", "t0008.000"], [2]),  # a second is left out
        (range(3), ["050507", "050559", "051184"], []),  # images of no sequence
    ],
)
def test_only_frames_between_their_neighbours_in_time_have_an_acceleration(targets, frames, middle):
    assert evenly_spaced(list(targets), frames) == middle


def test_a_long_sequence_counts_as_much_as_a_short_one_where_sequences_are_averaged():
    values, groups = np.array([1.0, np.nan, 3.0, 8.0]), ["a", "a", "a", "b"]
    assert mean_of_sequences(values, groups) == 5
    assert mean_of_sequences(values, [""] * 4) == 4
    assert np.isnan(mean_of_sequences(values[1:2], ["a"]))
