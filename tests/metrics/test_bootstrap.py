"""Resampling by sequence, against enumeration, SciPy and the official recalls."""

import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap

from rhobin.metrics.bootstrap import resampled_means
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import frame_recalls, summarise_object
from rhobin.metrics.protocol import OBJECT_MODES


def test_sequences_of_unequal_length_are_pooled_as_enumeration_says():
    values, groups = np.array([0.0, 0.2, 0.4, 1.0, 0.7, 0.9]), ["a", "a", "a", "b", "c", "c"]
    parts = [values[:3], values[3:4], values[4:]]
    every = [np.concatenate(chosen).mean() for chosen in itertools.product(parts, repeat=3)]
    drawn = resampled_means(values[:, None], groups, draws=40_000)[:, 0]
    assert set(np.round(drawn, 12)) == set(np.round(every, 12))
    assert drawn.mean() == pytest.approx(np.mean(every), abs=0.003)
    assert drawn.std() == pytest.approx(np.std(every), rel=0.02)


def test_the_deviation_is_scipys_where_sequences_are_equally_long():
    rng = np.random.default_rng(3)
    means = rng.normal(size=50)
    values = means[:, None] + rng.normal(size=(50, 4))
    drawn = resampled_means(values.reshape(-1, 1), np.repeat(np.arange(50), 4).astype(str).tolist())
    theirs = bootstrap((values.mean(axis=1),), np.mean, n_resamples=10_000, rng=4).standard_error
    assert drawn.std(ddof=1) == pytest.approx(theirs, rel=0.05)
    alone = resampled_means(values.reshape(-1, 1), [str(i) for i in range(200)])
    assert alone.std() < 0.75 * drawn.std()  # frames of a sequence are not independent


def test_columns_are_drawn_in_pairs_and_the_seed_decides():
    rng = np.random.default_rng(5)
    first = rng.normal(size=60)
    groups = np.repeat(np.arange(20), 3).astype(str).tolist()
    drawn = resampled_means(np.stack([first, first + 0.25], axis=1), groups, 200)
    np.testing.assert_allclose(drawn[:, 1] - drawn[:, 0], 0.25)
    np.testing.assert_allclose(resampled_means(first[:, None], groups, 200)[:, 0], drawn[:, 0], atol=1e-12)
    assert not np.allclose(resampled_means(first[:, None], groups, 200, seed=1)[:, 0], drawn[:, 0])


def test_one_sequence_cannot_vary():
    with pytest.raises(ValueError, match="at least two sequences to draw from, found 1"):
        resampled_means(np.zeros((3, 1)), ["a"] * 3)


@pytest.mark.parametrize("mode", ["official", "paper"])
def test_recalls_of_frames_average_to_the_score(mode):
    rng = np.random.default_rng(6)
    errors = ObjectErrors(*(rng.uniform(0, high, 40) for high in (400, 150, 30)), rng.uniform(200, 900, 40))
    scores = summarise_object(errors, OBJECT_MODES[mode])
    for name, values in frame_recalls(errors, OBJECT_MODES[mode]).items():
        assert values.shape == (40,)
        assert values.mean() == pytest.approx(scores[name], abs=1e-12)
