"""A run that was stopped and goes on ends where a run that was never stopped does, bit for bit."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from rhobin.engine.build import build_callbacks
from rhobin.engine.fit import fit
from rhobin.engine.resume import ResumeError, find_start
from rhobin.engine.runinfo import read_run

ROOT = Path(__file__).parents[2]
STEPS = 14  # 24 training views in batches of 4: six steps an epoch, so the run ends in its third epoch


def weights(run_dir):
    return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)


def assert_same_run(run_dir, reference):
    """Equal weights, optimiser state and log."""
    ours, theirs = weights(run_dir), weights(reference)
    assert ours["global_step"] == theirs["global_step"] == STEPS
    assert ours["epoch"] == theirs["epoch"]
    assert ours["state_dict"].keys() == theirs["state_dict"].keys()
    for name, value in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], value), name
    for one, two in zip(ours["optimizer_states"], theirs["optimizer_states"], strict=True):
        for key, state in two["state"].items():
            assert all(
                torch.equal(torch.as_tensor(one["state"][key][k]), torch.as_tensor(v))
                for k, v in state.items()
            )
    assert (run_dir / "metrics.csv").read_text() == (reference / "metrics.csv").read_text()
    best = [torch.load(d / "checkpoints" / "best.ckpt", weights_only=True) for d in (run_dir, reference)]
    assert best[0]["global_step"] == best[1]["global_step"]


class KeepAll(pl.Callback):
    """Copies the run folder after every step's checkpoint."""

    def __init__(self, run_dir, to):
        self.run_dir, self.to = run_dir, to

    def on_train_batch_start(self, trainer, *args):
        if trainer.global_step:
            shutil.copytree(self.run_dir, self.to / f"{trainer.global_step}")


@pytest.fixture(scope="module")
def module_tmp(tmp_path_factory):
    return tmp_path_factory.mktemp("resume")


OVERRIDES = (
    f"trainer.max_steps={STEPS}",
    "callbacks.checkpoints.every_n_steps=1",
    "callbacks.evaluator.every_n_steps=4",
)


@pytest.fixture
def reference(smoke, module_tmp, monkeypatch):
    """An uninterrupted run, and copies of its folder after each of its steps."""
    run_dir = module_tmp / "reference"
    if not run_dir.exists():
        keep = KeepAll(run_dir, module_tmp / "copies")
        with monkeypatch.context() as patch:
            patch.setattr("rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), keep])
            fit(smoke(run_dir, *OVERRIDES))
    return run_dir


@pytest.mark.parametrize("step", [1, 3, 5, 6, 7, 11, 12, 13])
def test_every_step_can_be_resumed(step, smoke, reference, module_tmp, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(module_tmp / "copies" / f"{step}", run_dir)
    assert weights(run_dir)["global_step"] == step
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)


def test_a_log_that_ran_ahead_of_the_checkpoint_is_cut(smoke, reference, module_tmp, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(module_tmp / "copies" / "5", run_dir)
    shutil.copy(module_tmp / "copies" / "12" / "metrics.csv", run_dir)
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)


def test_a_broken_newest_checkpoint_is_passed_over(smoke, reference, module_tmp, tmp_path, capsys):
    run_dir = tmp_path / "run"
    shutil.copytree(module_tmp / "copies" / "9", run_dir)
    last = run_dir / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)
    shown = "".join(capsys.readouterr().out.split())
    assert "last.ckpt:notreadable" in shown
    assert "previous.ckpt,step8" in shown


def test_a_finished_run_is_left_alone(smoke, reference, capsys):
    before = (reference / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    fit(smoke(reference, *OVERRIDES, "resume=auto"))
    assert "is finished" in capsys.readouterr().out
    assert (reference / "checkpoints" / "last.ckpt").stat().st_mtime_ns == before


def test_a_finished_run_can_be_extended(smoke, reference, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(reference, run_dir)
    steps = read_run(run_dir)["steps"]
    longer = [f"trainer.max_steps={steps + 2}", "resume=auto"]
    with pytest.raises(ResumeError, match=f"trainer.max_steps: {steps} -> {steps + 2}"):
        fit(smoke(run_dir, *OVERRIDES, *longer))
    fit(smoke(run_dir, *OVERRIDES, *longer, "allow_changes=true"))
    assert (read_run(run_dir)["steps"], read_run(run_dir)["state"]) == (steps + 2, "finished")


def test_a_taken_folder_is_refused(smoke, reference):
    with pytest.raises(ResumeError, match="resume=auto"):
        fit(smoke(reference, *OVERRIDES))


def test_another_experiment_s_checkpoint_is_refused_with_the_difference(smoke, reference, tmp_path):
    last = reference / "checkpoints" / "last.ckpt"
    with pytest.raises(ResumeError) as error:
        fit(
            smoke(
                tmp_path / "run", *OVERRIDES, "optim.optimizer.lr=0.5", "data.batch_size=2", f"resume={last}"
            )
        )
    assert "optim.optimizer.lr: 0.0015 -> 0.5" in str(error.value)
    assert "data.batch_size: 4 -> 2" in str(error.value)
    assert "run_dir:" not in str(error.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_accepted_changes_are_told(reference):
    last = reference / "checkpoints" / "last.ckpt"
    identity = torch.load(last, weights_only=True)["rhobin"]["identity"] | {"seed": 5}
    start = find_start(reference, str(last), identity, allow_changes=True)
    assert start.checkpoint == last
    assert start.messages == ("changed since the checkpoint: seed: 0 -> 5",)


def test_a_path_goes_on_from_that_file_in_a_new_folder(smoke, reference, module_tmp, tmp_path):
    run_dir = tmp_path / "run"
    start = module_tmp / "copies" / "7" / "checkpoints" / "last.ckpt"
    fit(smoke(run_dir, *OVERRIDES, f"resume={start}"))
    ours, theirs = weights(run_dir)["state_dict"], weights(reference)["state_dict"]
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_wrong_resume_values_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="none, auto or a file's path"):
        find_start(tmp_path, "yes", {})
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(ResumeError, match="not readable"):
        find_start(tmp_path, str(tmp_path / "text.ckpt"), {})
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    with pytest.raises(ResumeError, match="it lacks 'global_step'"):
        find_start(tmp_path, str(tmp_path / "foreign.ckpt"), {})


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"state_dict": Trap(), "global_step": 1, "epoch": 0, "rhobin": {}}, tmp_path / "trap.ckpt")
    with pytest.raises(ResumeError):
        find_start(tmp_path, str(tmp_path / "trap.ckpt"), {})
    assert not (tmp_path / "sprung").exists()


def command(run_dir, tree):
    return [
        sys.executable, str(ROOT / "train.py"), "experiment=khor/smoke", f"data.root={tree}",
        f"run_dir={run_dir}", "data.workers=1", "callbacks.evaluator.samples=100",
        "callbacks.evaluator.every_n_steps=4",
        f"trainer.max_steps={STEPS}", "callbacks.checkpoints.every_n_steps=2", "threads=1", "resume=auto",
    ]  # fmt: skip


def kill_at_random(run_dir, tree, rng):
    """Start training, kill it with SIGKILL a random moment after it has begun to log."""
    log = run_dir / "metrics.csv"
    lines = len(log.read_text().splitlines()) if log.exists() else 0
    process = subprocess.Popen(
        command(run_dir, tree), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and len(log.read_text().splitlines()) > lines:
            time.sleep(rng.uniform(0, 0.3))
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
def test_sigkill_at_two_random_moments_changes_nothing(tree, tmp_path):
    seed = random.SystemRandom().randrange(10**6)
    rng = random.Random(seed)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole, tree), cwd=ROOT, check=True, capture_output=True)
    for _ in range(2):
        kill_at_random(killed, tree, rng)
    subprocess.run(command(killed, tree), cwd=ROOT, check=True, capture_output=True)
    assert read_run(killed)["state"] == "finished", seed
    assert len(read_run(killed)["resumed"]) >= 1, seed
    assert_same_run(killed, whole)
