"""What the trials before one say about it: the values to try, and whether it is worth going on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from rhobin.engine.search.plan import Plan

LEARNT_FROM = (TrialState.COMPLETE, TrialState.PRUNED)


def past_study(plan: Plan, trials: Sequence[FrozenTrial], number: int) -> optuna.Study:
    """A study in memory of the trials of lower number that have ended, sampling for this number."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    try:
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False, **plan.sampler)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sweep.sampler is {plan.sampler}, which Optuna does not take: {error}") from error
    study = optuna.create_study(sampler=sampler, direction=plan.direction)
    study.add_trials([t for t in trials if t.number < number and t.state in LEARNT_FROM])
    return study


def suggest(
    plan: Plan, space: dict[str, BaseDistribution], trials: Sequence[FrozenTrial], number: int
) -> dict[str, Any]:
    """Values for a trial: a function of its number, the seed, and the trials before it that have ended.

    Args:
        plan: the search.
        space: ranges of the searched keys.
        trials: of the study.
        number: of the trial.
    """
    return past_study(plan, trials, number).ask(space).params


def left_behind(
    plan: Plan, trials: Sequence[FrozenTrial], number: int, scores: Mapping[int, float]
) -> str | None:
    """Why a trial is not worth going on with, judged by the trials before it; None where it is.

    Args:
        plan: the search.
        trials: of the study.
        number: of the trial.
        scores: its own so far, by step.
    """
    if plan.pruner is None:
        return None
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(scores))
    past = past_study(plan, trials, number)
    if not pruner(plan).prune(past, trial):
        return None
    step = max(scores)
    return (
        f"{plan.metric} is {scores[step]:.6g} at step {step}, not among the best "
        f"{plan.pruner['percentile']:g} % of the trials before"
    )


def pruner(plan: Plan) -> optuna.pruners.BasePruner:
    """Optuna's pruner with the plan's settings.

    Raises:
        ValueError: it does not take them.
    """
    try:
        return optuna.pruners.PercentilePruner(**plan.pruner or {})
    except (TypeError, ValueError) as error:
        raise ValueError(f"sweep.pruner is {plan.pruner}, which Optuna does not take: {error}") from error
