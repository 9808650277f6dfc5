"""One process of a sweep: trains trial after trial until none is left."""

from __future__ import annotations

import gc
import math
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from rhobin.engine.fit import fit
from rhobin.engine.lock import LockedError
from rhobin.engine.mistakes import said
from rhobin.engine.resume import ResumeError
from rhobin.engine.runinfo import read_run
from rhobin.engine.search.claims import Claim, claimed, died_in_vain
from rhobin.engine.search.history import left_behind, pruner, suggest
from rhobin.engine.search.plan import Plan, read_plan, trial_config, trial_name
from rhobin.engine.search.results import write_results
from rhobin.engine.search.space import check_space, distributions
from rhobin.engine.search.study import Study, open_study
from rhobin.engine.search.telling import SweepError, best_so_far, progress, shown, tell, tell_end
from rhobin.engine.signals import Interrupted, command_to_go_on, stop_requests
from rhobin.engine.watch import PrunedError
from rhobin.files import write_text

FAILURE = "failure.txt"


def sweep(arguments: Sequence[str]) -> Path:
    """Work on a study until each of its trials has ended or is trained by another process.

    Args:
        arguments: see `read_plan`.

    Returns:
        The study's folder.

    Raises:
        ValueError: the plan cannot be meant, or the study is another search's.
        OSError: something of the machine, not of a trial: a full disk, data that are missing.
        SweepError: trials fail one after the other.
        Interrupted: a signal; the trial's state is saved.
    """
    plan = read_plan(arguments)
    space = distributions(plan)
    check_plan_by_trying(plan, space)
    study = open_study(plan)
    with stop_requests():
        try:
            train_trials(study, space)
            tell_end(study)
        except Interrupted:
            tell(f"{progress(study)}; go on with\n  {command_to_go_on()}")
            raise
    return plan.folder


def check_plan_by_trying(plan: Plan, space: dict[str, BaseDistribution]) -> None:
    """Refuse settings that would fail in the middle of a sweep."""
    check_space(plan)
    suggest(plan, space, [], 0)
    if plan.pruner is not None:
        pruner(plan)


def train_trials(study: Study, space: dict[str, BaseDistribution]) -> None:
    """Train trials, new ones and those that other processes left, until there is none to begin."""
    failures: list[str] = []
    while True:
        with claimed(study, space) as claim:
            if claim is None:
                return
            reason = train_trial(study, claim)
            write_results(study)
        failures = [*failures, f"{trial_name(claim.number)}: {reason}"] if reason else []
        if len(failures) >= study.plan.failures:
            raise SweepError(
                f"{len(failures)} trials in a row failed; tracebacks are in {study.plan.folder}/trial_*/"
                f"{FAILURE}:\n  " + "\n  ".join(failures) + "\nThe same command tries further ones"
            )


def train_trial(study: Study, claim: Claim) -> str:
    """Train a trial to its end and tell the study; why it failed, empty where it did not."""
    number, name = claim.number, trial_name(claim.number)
    tell(f"{name}{' goes on' if claim.left else ''}: {shown(claim.values)}")
    if claim.left and died_in_vain(study, claim):
        return fail(study, number, "its process died three times without a new checkpoint (out of memory?)")
    try:
        fit(trial_config(study.plan, number, claim.values), lambda *score: watch(study, number, *score))
    except PrunedError as stop:
        study.end(number, TrialState.PRUNED, reason=str(stop))
        tell(f"{name} is pruned: {stop}")
        return ""
    except Interrupted:
        study.note(number, "deaths", [])
        raise
    except (OSError, ResumeError, LockedError):
        raise  # of the machine or the folder: the trial goes on when that is repaired
    except Exception as error:
        write_text(study.plan.run_dir(number) / FAILURE, traceback.format_exc())
        reason = f"{type(error).__name__}: {said(error)}"
    else:
        reason = complete(study, number)
    finally:
        free_memory()
    return fail(study, number, reason) if reason else ""


def watch(study: Study, number: int, step: int, score: float, last: bool) -> None:
    """Keep a score; end the trial where it is left behind by those before it.

    Raises:
        PrunedError: it is.
    """
    study.report(number, step, score)
    trials = study.trials()
    reason = None if last else left_behind(study.plan, trials, number, trials[number].intermediate_values)
    if reason:
        raise PrunedError(reason)


def complete(study: Study, number: int) -> str:
    """End a trial with its best score; why it has none, empty where it has."""
    scores = [v for v in study.trials()[number].intermediate_values.values() if math.isfinite(v)]
    if not scores:
        return f"{study.plan.metric} was never a number"
    reason = other_data(study, number)
    if reason:
        return reason
    best = max(scores) if study.plan.higher_is_better else min(scores)
    study.end(number, TrialState.COMPLETE, best)
    tell(f"{trial_name(number)}: {study.plan.metric} {best:.6g}; {best_so_far(study)}")
    return ""


def other_data(study: Study, number: int) -> str:
    """Why the scores of a trial and of those before it cannot be compared; empty where they can."""
    first = next((t.number for t in study.trials() if t.state == TrialState.COMPLETE), number)
    before, now = (read_run(study.plan.run_dir(n)).get("data_hash") for n in (first, number))
    if before == now:
        return ""
    return (
        f"its data have the hash {now}, those of {trial_name(first)} had {before}, so their scores cannot be "
        "compared: put the data back, or begin another study with sweep.study=NAME sweep.folder=FOLDER"
    )


def fail(study: Study, number: int, reason: str) -> str:
    """End a trial as failed; the reason."""
    study.end(number, TrialState.FAIL, reason=reason)
    tell(f"{trial_name(number)} failed: {reason}")
    return reason


def free_memory() -> None:
    """Give back what a trial used, also one that ran out of memory."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
