"""Signals in the middle of a run: the step ends, the state is saved, the status is not 0."""

import os
import signal

import pytest
import pytorch_lightning as pl
from lightning_fabric.plugins.environments import SLURMEnvironment
from whole_run import OVERRIDES, assert_same_run, saved

from rhobin.engine.build import build_callbacks
from rhobin.engine.fit import fit
from rhobin.engine.runinfo import read_run
from rhobin.engine.signals import SIGNALS, Interrupted, cluster_plugins, command_to_go_on, stop_requests

SLURM = {
    "SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1",
    "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NNODES": "1",
}  # fmt: skip
RARELY = "callbacks.checkpoints.every_n_steps=1000"


class Signal(pl.Callback):
    """Sends signals to its own process in the middle of a batch."""

    def __init__(self, numbers, batch):
        self.numbers, self.batch = numbers, batch
        self.environment = None

    def on_after_backward(self, trainer, module):
        if module.clock.batches == self.batch:
            self.environment = trainer._accelerator_connector.cluster_environment
            for number in self.numbers:
                os.kill(os.getpid(), number)


@pytest.fixture
def interrupted(smoke, monkeypatch):
    """Trains until the signals come; the exception and the callback that sent them."""

    def train(run_dir, numbers, batch, *overrides):
        sender = Signal(numbers, batch)
        with monkeypatch.context() as patch:
            patch.setattr(
                "rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), sender]
            )
            with pytest.raises(Interrupted) as stop:
                fit(smoke(run_dir, *OVERRIDES, RARELY, "resume=auto", *overrides))
        return stop.value, sender

    return train


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_step_saves_and_says_how_to_go_on(number, interrupted, tmp_path, capsys):
    before = [signal.getsignal(each) for each in SIGNALS]
    stop, _ = interrupted(tmp_path / "run", [number], 8)
    assert stop.code == 128 + number
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert saved(tmp_path / "run")["global_step"] == 9
    state = f"interrupted by {number.name} at step 9"
    assert read_run(tmp_path / "run")["state"] == state
    shown = capsys.readouterr().out
    assert f"was {state}; go on with\n  python " in shown
    assert "resume=auto" in shown


def test_a_signal_in_the_last_step_leaves_a_finished_run(smoke, reference, tmp_path, monkeypatch):
    sender = Signal([signal.SIGTERM], 13)
    monkeypatch.setattr("rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), sender])
    fit(smoke(tmp_path / "run", *OVERRIDES))
    assert_same_run(tmp_path / "run", reference)
    assert read_run(tmp_path / "run")["state"] == "finished"


def test_a_second_sigint_stops_at_once(interrupted, tmp_path):
    stop, _ = interrupted(tmp_path / "run", [signal.SIGINT, signal.SIGINT], 8)
    assert stop.code == 128 + signal.SIGINT
    assert not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()


def test_a_signal_between_added_gradients_waits_for_the_step(interrupted, smoke, tmp_path):
    added = ("trainer.accumulate_grad_batches=3", "trainer.max_steps=4")
    interrupted(tmp_path / "run", [signal.SIGTERM], 3, *added)
    assert saved(tmp_path / "run")["rhobin"]["clock"] == {"batches": 6, "step": 2}


def test_a_signal_in_the_first_stage_starts_no_second(interrupted, smoke, tmp_path):
    stages = (
        "+stages.one.trainer.max_steps=3",
        "+stages.two.trainer.max_steps=4",
        "callbacks.evaluator.every_n_steps=1000",
    )
    interrupted(tmp_path / "run", [signal.SIGTERM], 1, *stages)
    assert saved(tmp_path / "run" / "stages" / "1_one")["global_step"] == 2
    assert not (tmp_path / "run" / "checkpoints").exists()
    fit(smoke(tmp_path / "run", *OVERRIDES, RARELY, "resume=auto", *stages))
    assert saved(tmp_path / "run")["global_step"] == 4


def test_before_and_after_steps_a_signal_is_an_exception_at_once():
    with stop_requests(), pytest.raises(Interrupted) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.value.code == 143


def test_a_slurm_requeue_goes_on_from_our_own_state(interrupted, smoke, reference, tmp_path, monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    stop, sender = interrupted(tmp_path / "run", [signal.SIGUSR1], 8)
    assert isinstance(sender.environment, SLURMEnvironment)
    assert not sender.environment.auto_requeue
    assert stop.code == 128 + signal.SIGUSR1
    assert not list((tmp_path / "run").rglob("hpc_ckpt_*"))
    fit(smoke(tmp_path / "run", *OVERRIDES, "resume=auto"))
    assert_same_run(tmp_path / "run", reference)


def test_without_slurm_nothing_is_plugged_in():
    assert cluster_plugins() == []


def test_the_command_to_go_on_is_the_command_of_this_process(monkeypatch):
    monkeypatch.setattr("sys.argv", ["train.py", "experiment=khor/smoke", "resume=none", "name=two words"])
    assert command_to_go_on() == "python train.py experiment=khor/smoke 'name=two words' resume=auto"
