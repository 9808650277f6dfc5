"""Studies whose trainings are a formula, step by step, with a checkpoint after each step."""

import math
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from rhobin.engine.search.plan import Plan
from rhobin.engine.search.run import train_trials
from rhobin.engine.search.space import distributions
from rhobin.engine.search.study import open_study
from rhobin.engine.search.telling import tell_end

STEPS = 4


def make_plan(folder: Path, **changes) -> Plan:
    plan = Plan(
        study="fake",
        experiment="khor/smoke",
        overrides=(),
        folder=folder,
        storage=None,
        trials=8,
        seed=0,
        metric="val/joint_mm",
        direction="minimize",
        space={
            "optim.optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True},
            "data.batch_size": {"type": "int", "low": 1, "high": 8},
        },
        failures=3,
        sampler={"n_startup_trials": 3, "n_ei_candidates": 24, "multivariate": True, "group": False},
        pruner={
            "percentile": 50.0, "n_startup_trials": 3, "n_warmup_steps": 0,
            "interval_steps": 1, "n_min_trials": 1,
        },
    )  # fmt: skip
    return replace(plan, **changes)


def score(values, step):
    """Falls over the steps to a value that depends on the settings."""
    return (math.log10(values["optim.optimizer.lr"]) + 2) ** 2 + values["data.batch_size"] / 10 + 1 / step


@dataclass
class FakeFit:
    """Stands in for `fit`.

    Attributes:
        dies: trials by the step in which the process is killed, between its score and its checkpoint.
        fails: what trials raise at their first step, by number.
        slow: seconds a step.
    """

    dies: dict
    fails: dict
    slow: float = 0.0

    def __call__(self, config, watch):
        import time

        folder = Path(config.run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = folder / "last.ckpt"
        begun = int(checkpoint.read_text()) if checkpoint.is_file() else 0
        for step in range(begun + 1, STEPS + 1):
            with (folder / "steps").open("a") as file:
                print(step, os.getpid(), file=file)
            if config.number in self.fails:
                raise self.fails[config.number]
            time.sleep(self.slow)
            try:
                watch(step, score(config.values, step), step == STEPS)
            finally:
                if self.dies.get(config.number) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            checkpoint.write_text(str(step))


def work(plan, monkeypatch, dies=None, fails=None, slow=0.0):
    """Work on a study in this process; the study."""
    with monkeypatch.context() as patch:
        fake(patch, FakeFit(dies or {}, fails or {}, slow))
        study = open_study(plan)
        train_trials(study, distributions(plan))
        tell_end(study)
    return study


def fake(patch, fit):
    """Put the fake fit in place of a training, and what is quick in place of composing its config."""
    patch.setattr("rhobin.engine.search.run.fit", fit)
    patch.setattr("rhobin.engine.search.run.free_memory", lambda: None)
    patch.setattr(
        "rhobin.engine.search.run.trial_config",
        lambda plan, number, values: SimpleNamespace(
            number=number, values=values, run_dir=str(plan.run_dir(number))
        ),
    )
    patch.setattr("rhobin.engine.search.study.plan_identity", lambda plan: {"space": dict(plan.space)})


def in_fork(plan, monkeypatch, **changes):
    """Work on a study in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work(plan, monkeypatch, **changes)
        code = 0
    finally:
        os._exit(code)


def ended(child):
    """Wait for a process; its status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def outcome(study):
    """What a study found, trial by trial."""
    return [
        (t.number, t.state.name, t.params, t.value, t.intermediate_values, t.user_attrs.get("reason"))
        for t in study.trials()
    ]


def steps_of(plan, number):
    """The steps that were taken in a trial's folder, in order."""
    lines = (plan.run_dir(number) / "steps").read_text().split("\n")
    return [int(line.split()[0]) for line in lines if line]
