"""Losses that are not numbers end a training, in all its processes at once and with one message."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rhobin import ranks
from rhobin.types import Batch


class NonFiniteLossError(RuntimeError):
    """A loss or a gradient became NaN or infinite.

    Attributes:
        batch: of the step in this process; None where only another process met the error.
        rank: the first process that met it.
    """

    def __init__(self, message: str, batch: Batch | None, rank: int = 0) -> None:
        super().__init__(message)
        self.batch, self.rank = batch, rank


def check_finite(losses: Mapping[str, Tensor], batch: Batch, step: int) -> None:
    """Refuse losses that are not numbers, in every process where any process has one.

    Args:
        losses: scalars by name.
        batch: that they are of.
        step: of the run.

    Raises:
        NonFiniteLossError: naming the step, the losses and the views of the first process that has one.
    """
    finite = torch.isfinite(torch.stack([value.detach().float() for value in losses.values()])).all()
    if not ranks.anywhere(~finite):
        return
    told = ranks.gathered(None if finite else describe_bad_losses(losses, batch, step))
    rank, text = next((rank, text) for rank, text in enumerate(told) if text)
    raise NonFiniteLossError(text, None if finite else batch, rank)


def describe_bad_losses(losses: Mapping[str, Tensor], batch: Batch, step: int) -> str:
    """What a person needs to find a NaN: the step, each loss, the views of the batch."""
    values = ", ".join(f"{name} {value.item():.4g}" for name, value in losses.items())
    views = ", ".join(f"{k.sequence}/{k.frame}/k{k.camera}" for k in batch.keys)
    return (
        f"loss is not finite at step {step}: {values}. The batch holds {views}. "
        "Look at these files, or lower the learning rate"
    )
