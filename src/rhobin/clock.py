"""One clock for a run: batches are counted once, and everything that happens in training follows it."""

from __future__ import annotations

import math


class Clock:
    """Counts the batches of a run, and knows from them its steps, its epoch and its end.

    A step is one update of the weights: a batch, or `accumulate` batches whose gradients are added up (fewer
    in the last step of an epoch). Lightning counts optimiser steps instead, of which a method with two
    optimisers makes two a batch.

    Args:
        max_steps: steps to train; -1 for no limit.
        max_epochs: epochs to train; -1 for no limit.
        accumulate: batches a step.

    Raises:
        ValueError: there is no limit at all, or a number is not positive.
    """

    def __init__(self, max_steps: int = -1, max_epochs: int = -1, accumulate: int = 1) -> None:
        if max_steps < 1 and max_epochs < 1:
            raise ValueError(
                f"trainer.max_steps is {max_steps} and trainer.max_epochs is {max_epochs}: "
                "the run would have no end; set one of them"
            )
        if accumulate < 1:
            raise ValueError(f"trainer.accumulate_grad_batches is {accumulate}; expected at least 1")
        self.max_steps, self.max_epochs, self.accumulate = max_steps, max_epochs, accumulate
        self.batches = 0
        self.batches_per_epoch = 0

    def begin(self, batches_per_epoch: int) -> None:
        """Learn how many batches an epoch has."""
        self.batches_per_epoch = batches_per_epoch

    def count(self) -> None:
        """One more batch is done."""
        self.batches += 1

    @property
    def steps_per_epoch(self) -> int:
        """Steps an epoch."""
        return math.ceil(self.batches_per_epoch / self.accumulate)

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        limits = (self.max_steps, self.max_epochs * self.steps_per_epoch)
        return min(limit for limit in limits if limit > 0)

    @property
    def step(self) -> int:
        """Steps done."""
        if not self.batches_per_epoch:
            return 0
        epochs, batches = divmod(self.batches, self.batches_per_epoch)
        return epochs * self.steps_per_epoch + batches // self.accumulate

    @property
    def epoch(self) -> int:
        """The epoch of the last batch, from 0."""
        return max(0, self.batches - 1) // self.batches_per_epoch if self.batches_per_epoch else 0

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0 to 1."""
        return self.step / self.total if self.batches_per_epoch else 0.0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.total

    @property
    def stepped(self) -> bool:
        """Whether the last batch completed a step."""
        return self.batches > 0 and self._completes(self.batches - 1)

    @property
    def will_step(self) -> bool:
        """Whether the batch under way, which is not counted yet, completes a step."""
        return self._completes(self.batches)

    @property
    def will_open(self) -> bool:
        """Whether the batch under way is the first of a step."""
        return self.batches % self.batches_per_epoch % self.accumulate == 0

    @property
    def will_end_epoch(self) -> bool:
        """Whether the batch under way is the last of its epoch."""
        return (self.batches + 1) % self.batches_per_epoch == 0

    def due(self, every_n_steps: int) -> bool:
        """Whether a step has just been completed after which something periodic happens, or the last one."""
        return self.stepped and (self.step % every_n_steps == 0 or self.finished)

    def _completes(self, batch: int) -> bool:
        place = batch % self.batches_per_epoch + 1
        return place % self.accumulate == 0 or place == self.batches_per_epoch
