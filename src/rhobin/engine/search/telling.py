"""What a process of a sweep says on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.trial import FrozenTrial, TrialState

from rhobin.engine.search.best import command_to_train
from rhobin.engine.search.plan import trial_name
from rhobin.engine.search.results import PAGE, best_trial, write_results
from rhobin.engine.search.study import Study
from rhobin.terminal import plain_console


class SweepError(RuntimeError):
    """The sweep cannot go on, or ended without a trial that has a value."""


def tell_end(study: Study) -> None:
    """Say what the sweep found, or what is still trained elsewhere.

    Raises:
        SweepError: all trials have ended and none has a value.
    """
    write_results(study)
    trials = study.trials()
    running = [trial_name(t.number) for t in trials if t.state == TrialState.RUNNING]
    if running:
        tell(f"{progress(study)}; other processes train {', '.join(running)}: nothing left to begin")
    elif best_trial(study.plan, trials) is None:
        raise SweepError(f"{progress(study)}, and none has a value; see {study.plan.folder / PAGE}")
    else:
        tell(
            f"{progress(study)}; {best_so_far(study)}\n{study.plan.folder / PAGE} shows all; "
            f"train the best with\n  {command_to_train(study.plan)}"
        )


def progress(study: Study) -> str:
    """How far the study is."""
    ended = sum(trial.state.is_finished() for trial in study.trials())
    return f"{study.plan.study}: {ended} of {study.plan.trials} trials have ended"


def best_so_far(study: Study) -> str:
    """The best trial in words."""
    best: FrozenTrial | None = best_trial(study.plan, study.trials())
    return f"best: {trial_name(best.number)} with {best.value:.6g}" if best else "none has a value yet"


def shown(values: Mapping[str, object]) -> str:
    """Values of the searched keys, for a person."""
    return " ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in values.items()
    )


def tell(message: str) -> None:
    """Print a line for a person."""
    plain_console().print(message, style="bold", highlight=False, soft_wrap=True)
