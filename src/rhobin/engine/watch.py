"""Somebody who is told the monitored score of a run as it is measured, and may end the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as pl

from rhobin.clock import Clock
from rhobin.engine.checkpoint import Judge
from rhobin.engine.evaluator import Evaluator

Watch = Callable[[int, float, bool], None]
"""Takes the step, the score, and whether the run has ended; raises `PrunedError` to end it."""


class PrunedError(Exception):
    """The run is not worth going on with; says why."""


class Watched(pl.Callback):
    """Tells a watcher each score, before a checkpoint of that step is written.

    A run that is killed in between is scored again, so that the watcher's answer is not lost.

    Args:
        clock: counts steps.
        judge: measures the score, earlier in the list of callbacks.
        watch: is told.
    """

    def __init__(self, clock: Clock, judge: Judge, watch: Watch) -> None:
        self.clock, self.judge, self.watch = clock, judge, watch

    def on_train_batch_end(self, *args: Any) -> None:
        """Tell a score of this step."""
        if self.judge.step == self.clock.step:
            self.watch(self.judge.step, self.judge.value, self.clock.finished)


def watched(callbacks: Sequence[pl.Callback], watch: Watch | None) -> list[pl.Callback]:
    """The callbacks of a run, with one for the watcher before the last, which writes checkpoints."""
    if watch is None:
        return list(callbacks)
    judge = next(callback for callback in callbacks if isinstance(callback, Evaluator))
    return [*callbacks[:-1], Watched(judge.clock, judge, watch), callbacks[-1]]
