"""Learning-rate schedules, stepped once a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def warmup_cosine(optimizer: Optimizer, total_steps: int, warmup: float, final: float = 0.0) -> LambdaLR:
    """Linear warm-up, then half a cosine down.

    Args:
        optimizer: whose learning rate is the peak.
        total_steps: length of the run in batches.
        warmup: share of the run spent rising.
        final: share of the peak left at the end.
    """
    rising = max(1, round(warmup * total_steps))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = min(1.0, (step - rising) / max(1, total_steps - rising))
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))

    return LambdaLR(optimizer, factor)


def flat_cosine(
    optimizer: Optimizer, total_steps: int, warmup_steps: int, flat: float, first: float = 0.001
) -> LambdaLR:
    """Linear warm-up, a flat rate, then half a cosine down to 0 (GDR-Net's `flat_and_anneal`).

    Args:
        optimizer: whose learning rate is the flat one.
        total_steps: length of the run in batches.
        warmup_steps: batches spent rising.
        flat: share of the run at which the rate begins to fall.
        first: share of the rate at the first batch.
    """
    falls = flat * total_steps

    def factor(step: int) -> float:
        if step < warmup_steps:
            return first + (1 - first) * step / warmup_steps
        if step < falls:
            return 1.0
        done = min(1.0, (step - falls) / max(1.0, total_steps - falls))
        return 0.5 * (1 + math.cos(math.pi * done))

    return LambdaLR(optimizer, factor)


def step_decay(
    optimizer: Optimizer, total_steps: int, epochs: int, milestones: Sequence[int], gamma: float
) -> LambdaLR:
    """Multiply the learning rate by `gamma` at each milestone.

    Args:
        optimizer: whose learning rate is the first one.
        total_steps: length of the run in batches.
        epochs: length of the run in epochs.
        milestones: epochs, counted from 0, at whose start the rate falls.
        gamma: factor of each fall.
    """
    falls = [round(total_steps * milestone / epochs) for milestone in milestones]
    return LambdaLR(optimizer, lambda step: gamma ** sum(step >= fall for fall in falls))
