"""What a person watching a run sees: a live bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rhobin.clock import Clock
from rhobin.engine.checkpoint import Judge
from rhobin.engine.reference import Reference
from rhobin.terminal import plain_console


class TrainProgress(pl.Callback):
    """Steps, loss, monitored score, speed and remaining time.

    Args:
        clock: counts steps.
        judge: measures the monitored score.
        every_n_steps: steps between refreshes, and between plain lines times ten.
        reference: what this preset reached when it was measured, shown beside the monitored score.
        console: where to write; None for standard output.
    """

    def __init__(
        self,
        clock: Clock,
        judge: Judge,
        every_n_steps: int = 10,
        reference: Reference | None = None,
        console: Console | None = None,
    ) -> None:
        self.clock, self.judge, self.every_n_steps = clock, judge, every_n_steps
        self.reference = reference
        self.console = console or plain_console()
        self.images = 0
        self.began = 0.0
        self.loss: float | None = None
        self.bar: Progress | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the clock and, on a terminal, the bar."""
        self.began, self.images = time.monotonic(), 0
        self.first_step, self.total = self.clock.step, self.clock.total
        if self.console.is_terminal and trainer.is_global_zero:
            self.bar = Progress(
                TextColumn("step"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[state]}", markup=False),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=self.console,
            )
            self.bar.start()
            self.task = self.bar.add_task("train", total=self.total, completed=self.first_step, state="")

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Refresh the bar or write a line."""
        self.images += len(batch) * trainer.world_size
        step = self.clock.step
        if not trainer.is_global_zero or not self.clock.due(self.every_n_steps * (1 if self.bar else 10)):
            return
        loss = outputs["logged"]["loss"].item()
        self.loss = loss if self.loss is None else 0.8 * self.loss + 0.2 * loss
        if self.bar:
            self.bar.update(self.task, completed=step, state=self.state())
        else:
            self.console.print(
                f"step {step}/{self.total}  {self.state()}  left {self.remaining(step)}", highlight=False
            )

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Leave the finished bar on the screen."""
        self.close()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """Give the terminal back before the error is printed."""
        self.close()

    def close(self) -> None:
        """Stop the bar."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    @property
    def speed(self) -> float:
        """Images a second since the start of this session, pauses for scoring included."""
        return self.images / max(time.monotonic() - self.began, 1e-9)

    def state(self) -> str:
        """Loss, monitored score and speed in a few words."""
        name = self.judge.monitor.name
        judged = f"{name} {self.judge.value:.4g}" if self.judge.step >= 0 else f"{name} -"
        known = self.reference and self.reference.best_until(self.judge.monitor, self.judge.step)
        judged += f" (measured earlier: {known:.4g})" if known is not None else ""
        return f"loss {self.loss:.3f}  {judged}  {self.speed:.0f} img/s"

    def remaining(self, step: int) -> str:
        """Estimated time to the last step, m:ss."""
        seconds = (time.monotonic() - self.began) / max(1, step - self.first_step) * (self.total - step)
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
