"""Intervals over sequences: the t test, quadratic forms, SciPy's bootstrap and simulated test sets."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap, ttest_1samp

from rhobin.metrics.intervals import sequence_mean
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import frame_recalls, summarise_object
from rhobin.metrics.protocol import OBJECT_MODES

TRIAL = Path(__file__).parents[2] / "tools" / "trials" / "interval_coverage.py"


@pytest.fixture(scope="module")
def trial():
    spec = importlib.util.spec_from_file_location("interval_coverage", TRIAL)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def frames(seed: int, counts: list[int]) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(counts)), counts)
    values = rng.lognormal(size=len(counts))[groups] + rng.normal(0, 0.1, len(groups))
    return values, groups.astype(str).tolist()


def test_sequences_of_equal_length_give_students_interval_and_p_value():
    values, groups = frames(0, [6] * 15)
    found, means = sequence_mean(values, groups), values.reshape(15, 6).mean(axis=1)
    theirs = ttest_1samp(means, 0)
    np.testing.assert_allclose(found.interval(signed=True), theirs.confidence_interval(0.95))
    assert found.chance() == pytest.approx(theirs.pvalue)
    assert (found.value, found.freedom) == (pytest.approx(values.mean()), pytest.approx(14))


def test_error_and_freedom_are_those_of_the_sum_of_squares():
    counts = [3, 40, 9, 25, 1, 60, 12]
    values, groups = frames(1, counts)
    found, share = sequence_mean(values, groups), np.array(counts) / sum(counts)
    means = np.array([values[np.array(groups) == str(i)].mean() for i in range(7)])
    off = np.eye(7) - np.outer(np.ones(7), share)  # distances from the score
    scale = np.diag(share**2 / np.diag(off @ off.T))  # each square unbiased on its own
    form = off.T @ scale @ off
    assert found.error**2 == pytest.approx(means @ form @ means)
    assert np.trace(form) == pytest.approx(share @ share)  # the variance of the score of independent means
    eigen = np.linalg.eigvalsh(form)
    assert found.freedom == pytest.approx(eigen.sum() ** 2 / (eigen**2).sum())
    assert found.freedom < 3.5


def test_the_error_is_scipys_bootstraps_where_sequences_are_many():
    values, groups = frames(2, [4] * 200)
    means = values.reshape(200, 4).mean(axis=1)
    theirs = bootstrap((means,), np.mean, n_resamples=5000, rng=4).standard_error
    found = sequence_mean(values, groups).error
    assert found == pytest.approx(theirs, rel=0.05)
    alone = sequence_mean(values, [str(i) for i in range(800)]).error
    assert alone < 0.6 * found  # frames of a sequence are not independent


def test_intervals_stay_where_values_can_be():
    values, groups = np.repeat([0.99, 1.0, 1.0, 0.7, 1.0], 4), np.repeat(list("abcde"), 4).tolist()
    found = sequence_mean(values, groups)
    low, high = found.interval(top=1.0)
    assert 0 < low < found.value < high < 1 < found.interval(signed=True)[1]
    np.testing.assert_allclose(
        sequence_mean(100 * values, groups).interval(top=100.0), (100 * low, 100 * high)
    )
    wrong = sequence_mean(1 - values, groups).interval(top=1.0)
    np.testing.assert_allclose(wrong, (1 - high, 1 - low))
    errors = sequence_mean(np.repeat([1.0, 2, 90], 2), list("aabbcc")).interval()
    assert 0 < errors[0] < 31 < errors[1]


def test_frames_that_do_not_count_and_sequences_of_equal_weight():
    values, groups = np.array([1.0, np.nan, 3.0, 8.0, np.nan]), list("aaabc")
    assert sequence_mean(values, groups).value == 4
    assert sequence_mean(values, groups, by_sequence=True).value == 5
    assert sequence_mean(values, groups, by_sequence=True).freedom == pytest.approx(1)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 0.0], [1.0, 1.0], [np.inf, 1.0], [np.nan, np.nan]])
@pytest.mark.parametrize("top", [None, 1.0])
def test_one_sequence_or_no_value_tells_nothing(values, top):
    found = sequence_mean(np.array(values), ["a", "a"] if np.isfinite(values[0]) else ["a", "b"])
    assert np.isnan(found.interval(top)).all()
    assert np.isnan(found.chance())


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_score_that_every_frame_shares_has_no_width(share):
    assert sequence_mean(np.full(6, share), list("aabbcc")).interval(1.0) == (share, share)


def test_equal_methods_do_not_differ():
    found = sequence_mean(np.zeros(6), list("aabbcc"))
    assert found.interval(signed=True) == (0, 0)
    assert found.chance() == 1


@pytest.mark.parametrize("name", ["errors", "recalls", "high recalls", "lead in errors", "lead in recalls"])
def test_intervals_hold_the_truth_in_95_of_100_simulated_test_sets(trial, name):
    setting, rng, held = trial.SETTINGS[name], np.random.default_rng(11), 0
    for _ in range(500):
        values, groups = trial.simulated(setting, 24, rng)
        low, high = sequence_mean(values, groups.astype(str).tolist()).interval(setting.top, setting.signed)
        held += low <= setting.truth <= high
    assert 0.93 * 500 <= held <= 0.975 * 500


def test_the_percentile_bootstrap_holds_it_less_often(trial):
    found = trial.coverage("errors", 12, 150, 200, 0)
    assert found["percentile"][0] < 90 < found["ours"][0]
    assert found["ours"][1] > found["percentile"][1]


@pytest.mark.parametrize("mode", ["official", "paper"])
def test_recalls_of_frames_average_to_the_score(mode):
    rng = np.random.default_rng(6)
    errors = ObjectErrors(*(rng.uniform(0, high, 40) for high in (400, 150, 30)), rng.uniform(200, 900, 40))
    scores = summarise_object(errors, OBJECT_MODES[mode])
    for name, values in frame_recalls(errors, OBJECT_MODES[mode]).items():
        assert values.shape == (40,)
        assert values.mean() == pytest.approx(scores[name], abs=1e-12)
