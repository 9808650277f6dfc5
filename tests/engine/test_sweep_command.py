"""`rhobin sweep` as it is typed: killed in the middle of trainings, and what it leaves."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from commands import call, start, succeed
from whole_run import assert_same_weights, saved

from rhobin.__main__ import main
from rhobin.engine.fit import fit
from rhobin.engine.runinfo import read_run
from rhobin.engine.search.plan import read_plan
from rhobin.engine.search.study import open_study
from rhobin.engine.watch import PrunedError

TRIALS = 2


def arguments(tree, folder):
    return (
        "sweep=khor_lr", "sweep.experiment=khor/smoke", f"sweep.folder={folder}", f"sweep.trials={TRIALS}",
        "sweep.sampler.n_startup_trials=1", f"data.root={tree}", "data.workers=0", "threads=1",
        "trainer.max_steps=6", "callbacks.evaluator.every_n_steps=3", "callbacks.evaluator.samples=50",
        "callbacks.checkpoints.every_n_steps=1", "callbacks.views=2",
    )  # fmt: skip


@pytest.fixture(scope="module")
def swept(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept")
    succeed("-m", "rhobin", "sweep", *arguments(tree, folder))
    return folder


def trials(tree, folder):
    study = open_study(read_plan(arguments(tree, folder)))
    return [(t.state, t.params, t.value, t.intermediate_values) for t in study.trials()]


def test_a_sweep_killed_twice_ends_like_one_that_was_not(tree, swept, tmp_path):
    for number, how in ((0, signal.SIGKILL), (1, signal.SIGTERM)):
        process = start("-m", "rhobin", "sweep", *arguments(tree, tmp_path), output=tmp_path)
        wait_for(tmp_path / f"trial_{number:03d}" / "checkpoints" / "last.ckpt")
        os.kill(process.pid, how)
        process.join()
        assert process.exitcode == (-how if how == signal.SIGKILL else 128 + how)
    said = (tmp_path / "stdout").read_text()
    assert "khor_lr: 1 of 2 trials have ended; go on with\n  rhobin sweep sweep=khor_lr" in said
    assert succeed("-m", "rhobin", "sweep", *arguments(tree, tmp_path)).count("goes on") == 1
    assert trials(tree, tmp_path) == trials(tree, swept)
    for number in range(TRIALS):
        ours, theirs = (folder / f"trial_{number:03d}" for folder in (tmp_path, swept))
        assert_same_weights(saved(ours)["state_dict"], saved(theirs)["state_dict"])
        assert (ours / "metrics.csv").read_text() == (theirs / "metrics.csv").read_text()
    resumed = [len(read_run(tmp_path / f"trial_{number:03d}")["resumed"]) for number in range(TRIALS)]
    assert resumed == [1, 1]


def wait_for(path: Path):
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.005)


def test_the_best_trains_again_to_the_value_of_its_trial(tree, swept, tmp_path):
    found = trials(tree, swept)
    best = min(
        (value, number) for number, (state, _, value, _) in enumerate(found) if state.name == "COMPLETE"
    )[1]
    text = (swept / "experiment" / "best.yaml").read_text()
    assert f"trial_{best:03d}" in text
    command = next(line for line in text.splitlines() if "train.py" in line).lstrip("# ").split()
    assert command[:2] == ["python", "train.py"]
    succeed(*command[1:], f"run_dir={tmp_path / 'run'}")
    assert best_score(tmp_path / "run") == found[best][2]
    assert read_run(tmp_path / "run")["name"] == "khor_lr_best"


def test_a_watcher_is_told_each_score_and_may_end_the_run(smoke, tmp_path):
    told = []

    def watch(step, score, last):
        told.append((step, score, last))
        if len(told) == 3:
            raise PrunedError("worse than others")

    overrides = (
        "trainer.max_steps=4",
        "callbacks.evaluator.every_n_steps=2",
        "callbacks.checkpoints.every_n_steps=1",
    )
    fit(smoke(tmp_path / "whole", *overrides), watch)
    assert [(step, last) for step, _, last in told] == [(2, False), (4, True)]
    assert min(score for _, score, _ in told) == best_score(tmp_path / "whole")
    with pytest.raises(PrunedError):
        fit(smoke(tmp_path / "pruned", *overrides), watch)
    assert told[2] == told[0]
    assert read_run(tmp_path / "pruned")["state"] == "pruned: worse than others"
    assert saved(tmp_path / "pruned")["global_step"] == 1, "the score is measured again after a kill"


def best_score(run_dir):
    return next(s["best"] for s in saved(run_dir, "best.ckpt")["callbacks"].values() if "best" in s)


def test_without_optuna_the_command_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(["sweep", "sweep=khor_lr"]) == 1
    assert 'python -m pip install -e ".[sweep]"' in capsys.readouterr().err


def test_a_mistake_is_told_without_a_traceback():
    done = call("-m", "rhobin", "sweep", "sweep=nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("error: In 'sweep")
    assert "Traceback" not in done.stderr
