"""A callback that weighs every step of a training: operations and memory."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl
import torch
from torch.optim import Optimizer
from torch.utils.flop_counter import FlopCounterMode

from rhobin.engine.planning.tracker import Memory, tracked, why_unknown
from rhobin.types import Batch, map_tensors


class Scales(pl.Callback):
    """Counts the operations of the first step, and the memory of every step.

    Args:
        accumulate: batches a step.
        on_gpu: whether the training is for a GPU, where torch's optimisers move all weights at once.

    Attributes:
        flops: operations of the first step.
        peaks: memory of each step; empty where it cannot be known.
        unknown: why, then.
        optimizers: of the training.
    """

    def __init__(self, accumulate: int, on_gpu: bool = False) -> None:
        self.accumulate, self.on_gpu = accumulate, on_gpu
        self.flops = 0.0
        self.peaks: list[Memory] = []
        self.unknown = why_unknown()
        self.optimizers: list[Optimizer] = []
        self._open = ExitStack()
        self._counter: FlopCounterMode | None = None
        self._found: list[Memory] = []

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Make a first step, of no gradients, which leaves the optimisers' states."""
        self.optimizers = trainer.optimizers
        for optimizer in self.optimizers:
            if self.on_gpu and type(optimizer).__module__.startswith("torch.optim"):
                together(optimizer)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = torch.zeros_like(parameter)
            optimizer.step()

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Batch, index: int) -> None:
        """Begin to weigh."""
        if index % self.accumulate:
            return
        if index == 0:
            self._counter = self._open.enter_context(FlopCounterMode(display=False))
        if not self.unknown:
            weighed = tracked(module, self.optimizers, tensors_of(batch))
            self._found = self._open.enter_context(weighed)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Batch, index: int
    ) -> None:
        """Note what the step took."""
        if (index + 1) % self.accumulate:
            return
        self.close()
        self.peaks += self._found
        if index + 1 == self.accumulate and self._counter is not None:
            self.flops = float(self._counter.get_total_flops())

    def close(self) -> None:
        """Stop weighing."""
        self._open.close()


def together(optimizer: Optimizer) -> None:
    """Let an optimiser move all weights at once, as torch chooses by itself on a GPU."""
    for group in optimizer.param_groups:
        if group.get("foreach", False) is None and not group.get("fused"):
            group["foreach"] = True


def tensors_of(batch: Batch) -> list[torch.Tensor]:
    """All tensors of a batch."""
    found: list[torch.Tensor] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        found.append(tensor)
        return tensor

    map_tensors(batch, note)
    return found
