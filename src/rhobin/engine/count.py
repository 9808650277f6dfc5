"""The clock in Lightning's loop: every batch is counted once, and the run ends when the clock says so."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from rhobin.clock import Clock


class BatchCount(pl.Callback):
    """Counts batches and stops the trainer at the last step; the first of the callbacks.

    Lightning's own counters are neither saved nor restored: on resume they start at 0, in an epoch that has
    only the batches left to do.

    Args:
        clock: counts.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def state_dict(self) -> dict[str, Any]:
        """Batches done."""
        return {"batches": self.clock.batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.clock.batches = state_dict["batches"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Train nothing where nothing is left to do."""
        trainer.should_stop |= self.clock.finished

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        """Tell Lightning which batch ends an epoch, so that gradients are not kept into the next one."""
        trainer.fit_loop.epoch_loop.batch_progress.is_last_batch = self.clock.will_end_epoch

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Count the batch."""
        self.clock.count()
        trainer.should_stop |= self.clock.finished
