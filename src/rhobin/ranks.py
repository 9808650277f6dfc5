"""The processes that train one network together, one a device, and what they add up among themselves.

With a single process, every function here is the identity to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


def count() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if count() > 1 else 0


def total(value: Tensor) -> Tensor:
    """Sum of a tensor over all processes, with its gradient; all must call this."""
    return value if count() == 1 else _Total.apply(value)


def counted(weight: Tensor, least: float) -> Tensor:
    """What a batch's weighted sum is divided by, so that the mean over processes is that of all samples.

    DDP averages gradients over processes. Were each to divide by its own sum of weights, a sample would
    count more beside others without weight. So all divide by their share of the sum over all processes.
    Without gradients, as when views are scored, a process counts its own batch alone.

    Args:
        weight: of each element of this process's batch.
        least: that the sum of weights is taken for where it is smaller.
    """
    if count() == 1 or not torch.is_grad_enabled():
        return weight.sum().clamp(min=least)
    return total(weight.detach().sum()).clamp(min=least) / count()


def norm(gradient: Tensor) -> Tensor:
    """Norm of the gradient of a mean over all samples, of which each process has its own samples' part.

    Args:
        gradient: of this process's mean, with respect to what it predicts.
    """
    if count() == 1:
        return gradient.norm()
    return total(gradient.square().sum()).sqrt() / count()


def own(drawn: Tensor) -> Tensor:
    """This process's rows of what all processes drew alike for the samples of all of them."""
    return drawn.chunk(count())[rank()]


def anywhere(flag: Tensor) -> bool:
    """Whether a flag is set in any process; all must call this."""
    return bool(flag) if count() == 1 else bool(total(flag.float()) > 0)


def gathered(value: T) -> list[T]:
    """The value of every process, in their order; all must call this."""
    if count() == 1:
        return [value]
    values: list[Any] = [None] * count()
    dist.all_gather_object(values, value)
    return values


@torch.no_grad()
def take_first(tensors: Iterable[Tensor]) -> None:
    """Copy the first process's tensors into those of all; all must call this."""
    if count() > 1:
        for tensor in tensors:
            dist.broadcast(tensor, 0)


class _Total(torch.autograd.Function):
    """A sum over processes: what any of them makes of it changes the values of all."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return _reduced(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _reduced(gradients[0])


def _reduced(value: Tensor) -> Tensor:
    summed = value.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(summed)
    return summed
