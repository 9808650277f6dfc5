"""The training log under several processes, and with numbers that not every batch has."""

from types import SimpleNamespace

import pytest
import torch

from rhobin.clock import Clock
from rhobin.engine.train_log import TrainLog, learning_rates, peak_memory


class Rows:
    def __init__(self):
        self.rows = []

    def log_metrics(self, metrics, step):
        self.rows.append((step, metrics))


def group(name, lr):
    return SimpleNamespace(name=name, optimizer=SimpleNamespace(param_groups=[{"lr": lr}]))


@pytest.fixture
def logged():
    """Runs batches through a log whose other process always saw a value of 10."""

    def run(batches, every_n_steps):
        clock = Clock(max_steps=len(batches))
        clock.begin(100)
        rows, log = Rows(), TrainLog(clock, every_n_steps)
        strategy = SimpleNamespace(reduce=lambda value, reduce_op: (value + 10) / 2)
        trainer = SimpleNamespace(strategy=strategy, loggers=[rows])
        module = SimpleNamespace(groups=[group("net", 0.5)], device=torch.device("cpu"))
        for values in batches:
            clock.count()
            outputs = {"logged": {name: torch.tensor(value) for name, value in values.items()}}
            log.on_train_batch_end(trainer, module, outputs, None, 0)
        return rows.rows

    return run


def test_rows_hold_the_mean_over_the_window_and_all_processes(logged):
    rows = logged([{"loss": 1.0}, {"loss": 3.0}, {"loss": 6.0}], every_n_steps=2)
    assert [step for step, _ in rows] == [2, 3]
    assert [row["train/loss"] for _, row in rows] == [(2 + 10) / 2, (6 + 10) / 2]
    assert rows[0][1]["lr"] == 0.5
    assert "gpu/peak_gib" not in rows[0][1]


def test_a_number_that_some_batches_lack_is_the_mean_of_those_that_have_it(logged):
    ((_, row),) = logged([{"loss": 1.0}, {"loss": 1.0, "gradient": 4.0}], every_n_steps=2)
    assert row["train/gradient"] == (4 + 10) / 2


def test_every_group_has_its_rate():
    module = SimpleNamespace(groups=[group("net", 0.5), group("critic", 0.1)])
    assert learning_rates(module) == {"lr/net": 0.5, "lr/critic": 0.1}


def test_the_peak_of_memory_is_logged_on_a_gpu_alone(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**29)
    assert peak_memory(torch.device("cuda")) == {"gpu/peak_gib": 1.5}
    assert peak_memory(torch.device("cpu")) == {}
