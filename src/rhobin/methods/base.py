"""What every method's Lightning module shares: moving batches, weighing losses, plugging in optimisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from rhobin.types import Batch, Prediction


class NonFiniteLossError(RuntimeError):
    """A loss became NaN or infinite."""


class Method(pl.LightningModule):
    """A network, its losses and how to turn its output into a `Prediction`.

    Args:
        net: the network.
        loss: maps (output, batch) to a dict of unweighted scalars.
        weights: weight of each loss; its keys are exactly the loss's.
        optimizer: makes an optimiser from parameters.
        schedule: makes a learning-rate schedule from (optimiser, total steps); stepped once a batch.
    """

    net: nn.Module
    loss: nn.Module

    def __init__(
        self,
        net: nn.Module,
        loss: nn.Module,
        weights: Mapping[str, float],
        optimizer: Callable[..., Optimizer],
        schedule: Callable[..., LRScheduler],
    ) -> None:
        super().__init__()
        self.net, self.loss, self.weights = net, loss, dict(weights)
        self.make_optimizer, self.make_schedule = optimizer, schedule

    def run_net(self, batch: Batch) -> Any:
        """The network's output for a batch."""
        raise NotImplementedError

    def predict(self, batch: Batch) -> Prediction:
        """Bodies and objects of a batch, metres, camera frame."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Unweighted losses of a batch, and their weighted sum under `loss`.

        Raises:
            ValueError: the weights do not name exactly the losses.
        """
        parts = self.loss(self.run_net(batch), batch)
        if parts.keys() != self.weights.keys():
            raise ValueError(
                f"the losses are {sorted(parts)}, but model.weights names {sorted(self.weights)}"
            )
        return {
            "loss": torch.stack([self.weights[name] * part for name, part in parts.items()]).sum(),
            **parts,
        }

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """Losses of one batch; refuses to step on a NaN.

        Raises:
            NonFiniteLossError: naming the step, the losses and the views.
        """
        losses = self.losses(batch)
        if not torch.isfinite(losses["loss"]):
            raise NonFiniteLossError(describe_bad_losses(losses, batch, self.global_step))
        return losses

    def predict_step(self, batch: Batch, batch_idx: int) -> Prediction:
        """Prediction of one batch."""
        return self.predict(batch)

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule, the schedule stepped once a batch."""
        optimizer = self.make_optimizer(self.parameters())
        schedule = self.make_schedule(optimizer, total_steps=int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def describe_bad_losses(losses: Mapping[str, Tensor], batch: Batch, step: int) -> str:
    """What a person needs to find a NaN: the step, each loss, the views of the batch."""
    values = ", ".join(f"{name} {value.item():.4g}" for name, value in losses.items())
    views = ", ".join(f"{k.sequence}/{k.frame}/k{k.camera}" for k in batch.keys)
    return (
        f"loss is not finite at step {step}: {values}. The batch holds {views}. "
        "Look at these files, or lower optim.optimizer.lr; runs/<name>/checkpoints has the last good state"
    )
