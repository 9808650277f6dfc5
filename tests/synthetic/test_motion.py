"""Parameter paths: pure functions of the seed, smooth in time, within their bounds."""

import numpy as np
import pytest

from rhobin.synthetic.interactions.motion import MotionPath

TIMES = np.linspace(0, 1, 101)


def test_values_do_not_depend_on_what_was_asked_before():
    a, b = MotionPath((1, 2)).at(0.3), MotionPath((1, 2)).at(0.3)
    first = a("lean", -1, 1), a("twist", 0, 5)
    assert (b("twist", 0, 5), b("lean", -1, 1)) == first[::-1]
    assert MotionPath((1, 3)).at(0.3)("lean", -1, 1) != first[0]


@pytest.mark.parametrize("name", ["lean", "twist", "stride"])
def test_paths_are_smooth_and_bounded(name):
    for seed in range(30):
        path = MotionPath((seed,))
        values = np.array([path.at(t)(name, 2.0, 4.0, 0.5) for t in TIMES])
        assert values.min() >= 2.0
        assert values.max() <= 4.0
        assert np.abs(np.diff(values)).max() < 0.12
        assert np.ptp(values) > 0.05


def test_starts_fill_the_range():
    starts = np.array([MotionPath((seed,)).at(0.0)("lean", 0.0, 1.0) for seed in range(400)])
    assert np.histogram(starts, bins=4, range=(0, 1))[0].min() > 60


def test_choices_last_for_the_whole_sequence():
    path = MotionPath((5,))
    assert len({path.at(t, nudge).choice("side", (0, 1)) for t in TIMES for nudge in (0, 3)}) == 1
    assert {MotionPath((seed,)).at(0.0).choice("side", (0, 1)) for seed in range(20)} == {0, 1}


def test_headings_cover_the_circle_and_turn():
    starts = np.array([MotionPath((seed,)).at(0.0).turn("heading", 0.0) for seed in range(400)])
    assert np.histogram(starts % (2 * np.pi), bins=8, range=(0, 2 * np.pi))[0].min() > 25
    turns = [np.ptp([MotionPath((seed,)).at(t).turn("heading", 1.3) for t in TIMES]) for seed in range(50)]
    assert max(turns) > 1.2


def test_a_nudge_stays_near():
    path = MotionPath((7,))
    plain = path.at(0.5)("lean", 0.0, 1.0)
    nudged = np.array([path.at(0.5, k)("lean", 0.0, 1.0) for k in range(1, 40)])
    assert 0 < np.abs(nudged - plain).max() < 0.4
    assert path.at(0.5, 4)("lean", 0.0, 1.0) == path.at(0.5, 4)("lean", 0.0, 1.0)
