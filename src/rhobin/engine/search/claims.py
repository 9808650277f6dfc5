"""Who trains which trial: one that its process left, else a new one, and each by one process only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from rhobin.engine.search.history import suggest
from rhobin.engine.search.locks import FileLock
from rhobin.engine.search.plan import trial_name
from rhobin.engine.search.study import Study

DEATHS = 3
"""How often a trial's process may die without a new checkpoint before the trial is failed."""


@dataclass(frozen=True)
class Claim:
    """A trial that is ours while its lock is.

    Attributes:
        number: of the trial.
        values: of the searched keys.
        left: whether a process began it and died.
        lock: what says that we train it.
    """

    number: int
    values: dict[str, Any]
    left: bool
    lock: FileLock


@contextmanager
def claimed(study: Study, space: dict[str, BaseDistribution]) -> Iterator[Claim | None]:
    """The next trial to train, ours inside the block; None where all have ended or are trained by others."""
    claim = next_trial(study, space)
    try:
        yield claim
    finally:
        if claim:
            claim.lock.let_go()


def next_trial(study: Study, space: dict[str, BaseDistribution]) -> Claim | None:
    """Take over the first trial that nobody trains, else add one while there are too few."""
    with study.lock("study").held():
        for trial in study.trials():
            claim = take_over(study, trial) if trial.state == TrialState.RUNNING else None
            if claim:
                return claim
        return add_trial(study, space) if len(study.trials()) < study.plan.trials else None


def take_over(study: Study, trial: FrozenTrial) -> Claim | None:
    """A trial that was running and that nobody trains any more."""
    lock = study.lock(trial_name(trial.number))
    if not lock.take(wait=False):
        return None
    if study.trials()[trial.number].state != TrialState.RUNNING:  # it has ended meanwhile
        lock.let_go()
        return None
    return Claim(trial.number, dict(trial.params), True, lock)


def add_trial(study: Study, space: dict[str, BaseDistribution]) -> Claim:
    """A new trial, whose values are written together with it."""
    trials = study.trials()
    number = len(trials)
    values = suggest(study.plan, space, trials, number)
    lock = study.lock(trial_name(number))
    lock.take()
    try:
        study.optuna.add_trial(create_trial(state=TrialState.RUNNING, params=values, distributions=space))
    except BaseException:
        lock.let_go()
        raise
    return Claim(number, values, False, lock)


def died_in_vain(study: Study, claim: Claim) -> bool:
    """Note that the trial's process died; whether that is the third time without a new checkpoint."""
    files = study.plan.run_dir(claim.number).rglob("*.ckpt")
    newest = max((path.stat().st_mtime_ns for path in files), default=0)
    before = study.trials()[claim.number].user_attrs.get("deaths", [])
    deaths = [*before, newest] if newest in before else [newest]
    study.note(claim.number, "deaths", deaths)
    return len(deaths) >= DEATHS
