"""What a trial's values and its pruning depend on: its number and the trials before it, nothing else."""

import numpy as np
import pytest
from fake_study import make_plan
from optuna.trial import TrialState, create_trial

from rhobin.engine.search.history import left_behind, suggest
from rhobin.engine.search.space import distributions


@pytest.fixture
def past(tmp_path):
    plan = make_plan(tmp_path)
    space = distributions(plan)
    rng, trials = np.random.default_rng(0), []
    for number in range(6):
        values = {"optim.optimizer.lr": float(10 ** rng.uniform(-4, -1)), "data.batch_size": number + 1}
        trials.append(
            numbered(number, values, space, value=float(number), scores={1: 10.0 + number, 2: float(number)})
        )
    return plan, space, trials


def numbered(number, values, space, state=TrialState.COMPLETE, value=None, scores=None):
    trial = create_trial(
        state=state, params=values, distributions=space, value=value, intermediate_values=scores or {}
    )
    trial.number = number
    return trial


def test_values_depend_on_number_seed_and_earlier_trials_that_ended(past, tmp_path):
    plan, space, trials = past
    values = suggest(plan, space, trials, 4)
    later_and_running = [*trials[:4], numbered(4, trials[0].params, space, TrialState.RUNNING)]
    assert suggest(plan, space, later_and_running, 4) == values
    assert suggest(plan, space, trials[:3], 4) != values
    assert suggest(plan, space, trials, 5) != values
    assert suggest(make_plan(tmp_path, seed=1), space, trials, 4) != values


def test_the_first_values_are_uniform_in_their_ranges(past):
    plan, space, _ = past
    drawn = [suggest(plan, space, [], number) for number in range(300)]
    rates = np.log10([values["optim.optimizer.lr"] for values in drawn])
    assert abs(rates.mean() + 2.5) < 0.15
    assert rates.min() > -4
    assert rates.max() < -1
    assert {values["data.batch_size"] for values in drawn} == set(range(1, 9))


@pytest.mark.parametrize(
    ("direction", "score", "behind"),
    [
        ("minimize", 12.4, False),
        ("minimize", 12.6, True),
        ("maximize", 12.4, True),
        ("maximize", 12.6, False),
    ],
)
def test_a_trial_is_left_behind_where_it_is_worse_than_the_median(direction, score, behind, past, tmp_path):
    plan, _, trials = past
    assert np.median([t.intermediate_values[1] for t in trials]) == 12.5
    reason = left_behind(make_plan(tmp_path, direction=direction), trials, 6, {1: score})
    assert (reason is not None) == behind
    if behind:
        assert reason.startswith(f"val/joint_mm is {score} at step 1, not among the best 50 %")
    assert left_behind(make_plan(tmp_path, direction=direction, pruner=None), trials, 6, {1: score}) is None
    assert left_behind(plan, trials, 2, {1: 99.0}) is None, "too few trials before it"
