"""Averaged weights: what is scored and stored is a moving average of the network's weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from rhobin.clock import Clock

PREFIX = "net."


class WeightAverage(pl.Callback):
    """Exponential moving average of `module.net`, updated after each step and before the evaluator looks.

    In a checkpoint `state_dict` holds the averaged weights, those that were scored; the weights that training
    goes on from lie beside it under `training_weights`.

    Args:
        clock: counts steps.
        decay: share of the old average that is kept at each step.
    """

    def __init__(self, clock: Clock, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"callbacks.ema.decay is {decay}; expected a number between 0 and 1")
        self.clock, self.decay = clock, decay
        self.average: AveragedModel | None = None
        self.saved: dict[str, Tensor] | None = None
        self.averaged_steps = 0

    def state_dict(self) -> dict[str, Any]:
        """How many steps the average has seen."""
        return {"averaged_steps": int(self.average.n_averaged) if self.average else 0}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on averaging."""
        self.averaged_steps = state_dict["averaged_steps"]

    def on_load_checkpoint(self, trainer: pl.Trainer, module: Any, checkpoint: dict[str, Any]) -> None:
        """Take the average from a checkpoint."""
        self.saved = weights_of(checkpoint["state_dict"])

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Begin the average at the network's weights, or where the checkpoint left it."""
        self.average = AveragedModel(module.net, multi_avg_fn=averaging(self.decay), use_buffers=True)
        if self.saved is not None:
            self.average.module.load_state_dict(self.saved)
            self.average.n_averaged.fill_(self.averaged_steps)
            self.saved = None

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *args: Any) -> None:
        """Add the weights of a completed step."""
        if self.clock.stepped:
            self._average().update_parameters(module.net)

    def on_save_checkpoint(self, trainer: pl.Trainer, module: Any, checkpoint: dict[str, Any]) -> None:
        """Store the averaged weights as the state, and those of training beside it."""
        state = checkpoint["state_dict"]
        checkpoint["training_weights"] = weights_of(state)
        averaged = self._average().module.state_dict()
        state.update({f"{PREFIX}{name}": value.detach().clone() for name, value in averaged.items()})

    @contextmanager
    def applied(self, module: Any) -> Iterator[None]:
        """The network with averaged weights, while the context lasts."""
        averaged = self._average().module
        training = [tensor.detach().clone() for tensor in tensors_of(module.net)]
        _copy(tensors_of(averaged), tensors_of(module.net))
        try:
            yield
        finally:
            _copy(training, tensors_of(module.net))

    def _average(self) -> AveragedModel:
        if self.average is None:
            raise RuntimeError("averaged weights are asked for before training began")
        return self.average


def averaging(decay: float) -> Callable[[Any, Any, Any], None]:
    """How `AveragedModel` averages tensors of one type; whole numbers are copied."""
    floating = get_ema_multi_avg_fn(decay)

    def average(averaged: list[Tensor], current: list[Tensor], steps: Any) -> None:
        if averaged[0].is_floating_point():
            floating(averaged, current, steps)
        else:
            _copy(current, averaged)

    return average


def weights_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's part of a module's state, under the network's own names."""
    return {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}


def tensors_of(net: nn.Module) -> list[Tensor]:
    """Parameters and buffers."""
    return [*net.parameters(), *net.buffers()]


@torch.no_grad()
def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
