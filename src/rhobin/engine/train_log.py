"""The training log: losses, learning rates and GPU memory, one row every few steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from rhobin import ranks
from rhobin.clock import Clock
from rhobin.types import Batch


def log_everywhere(trainer: pl.Trainer, clock: Clock, metrics: Mapping[str, float]) -> None:
    """Write one row to every logger under the current step."""
    row = {"epoch": clock.epoch, **metrics}
    for logger in trainer.loggers:
        logger.log_metrics(row, step=clock.step)


class TrainLog(pl.Callback):
    """Logs each number that `training_step` reports, its mean over all processes since the last row.

    Args:
        clock: counts steps.
        every_n_steps: steps between rows.
    """

    def __init__(self, clock: Clock, every_n_steps: int) -> None:
        self.clock, self.every_n_steps = clock, every_n_steps
        self.sums: dict[str, Tensor] = {}
        self.batches: dict[str, int] = {}

    def state_dict(self) -> dict[str, Any]:
        """The unfinished window, its mean over all processes."""
        sums = ranks.gathered({name: value.cpu() for name, value in self.sums.items()})
        return {
            "sums": {name: torch.stack([part[name] for part in sums]).mean(0) for name in self.sums},
            "batches": dict(self.batches),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on in a saved window."""
        self.sums, self.batches = dict(state_dict["sums"]), dict(state_dict["batches"])

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Add a batch to the window; close it when it is time."""
        for name, value in outputs["logged"].items():
            before = self.sums.get(name)
            self.sums[name] = value.double() if before is None else before.to(value.device) + value
            self.batches[name] = self.batches.get(name, 0) + 1
        if self.clock.due(self.every_n_steps):
            means = {f"train/{name}": self.mean(trainer, name) for name in self.sums}
            log_everywhere(
                trainer, self.clock, {**means, **learning_rates(module), **peak_memory(module.device)}
            )
            self.sums, self.batches = {}, {}

    def mean(self, trainer: pl.Trainer, name: str) -> float:
        """Mean of a number over the window and all processes."""
        value: Any = self.sums[name] / self.batches[name]
        return float(trainer.strategy.reduce(value, reduce_op="mean"))


def learning_rates(module: Any) -> dict[str, float]:
    """The rate of each group of parameters: `lr`, or `lr/NAME` where there are several."""
    rates = {group.name: float(group.optimizer.param_groups[0]["lr"]) for group in module.groups}
    return {"lr" if len(rates) == 1 else f"lr/{name}": rate for name, rate in rates.items()}


def peak_memory(device: torch.device) -> dict[str, float]:
    """The most memory that tensors of this session took on a GPU, GiB, in the process that took the most.

    Nothing on a CPU, whose logs are equal however often a run was stopped. All processes must call this.
    """
    if device.type != "cuda":
        return {}
    return {"gpu/peak_gib": max(ranks.gathered(torch.cuda.max_memory_allocated(device))) / 2**30}
