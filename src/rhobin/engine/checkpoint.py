"""Checkpoints: written whole or not at all, with all that a bit-exact resume needs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint

import rhobin
from rhobin.clock import Clock
from rhobin.engine.log import CsvLog
from rhobin.engine.monitor import Monitor
from rhobin.engine.saved import FORMAT
from rhobin.engine.signals import StopRequest
from rhobin.files import written_whole

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"


class Judge(Protocol):
    """Measures the monitored score: the step of the last measurement, its value, and what is better."""

    step: int
    value: float
    monitor: Monitor


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, flushes to disk, then renames."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`; a kill at any moment leaves the old file or the new one.

        Raises:
            OSError: the disk is full, or nothing can be written there.
        """
        with written_whole(path, flush=True) as file:
            target = NotesErrors(file)
            try:
                torch.save(checkpoint, cast(IO[bytes], target))
            except RuntimeError as error:
                raise target.error or error from None


class NotesErrors:
    """A file that keeps the error of a failed write: `torch.save` replaces it by words about its archive.

    Args:
        file: to write to.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.flush = file, file.flush
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write some bytes."""
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise


class Checkpoints(Checkpoint):
    """Keeps the last state every few steps, the one before it, and the best by the monitored score.

    Args:
        clock: counts steps.
        folder: where the files go.
        every_n_steps: steps between two saves of the last state.
        judge: measures the monitored score, earlier in the list of callbacks.
        identity: flat config that the checkpoints belong to.
        request: asks the training to stop; its state is saved first.
    """

    def __init__(
        self,
        clock: Clock,
        folder: Path,
        every_n_steps: int,
        judge: Judge,
        identity: dict[str, Any],
        request: StopRequest,
    ) -> None:
        self.clock, self.folder, self.every_n_steps = clock, folder, every_n_steps
        self.judge, self.identity, self.request = judge, identity, request
        self.best: float | None = None
        self.restored: dict[str, Any] | None = None
        self.saved_step = -1

    def state_dict(self) -> dict[str, Any]:
        """The best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved best value, where its checkpoint is still there."""
        self.best = state_dict["best"] if (self.folder / BEST).is_file() else None

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the config, the generators' states and the length of the log; count by the clock."""
        rows = [logger.rows for logger in trainer.loggers if isinstance(logger, CsvLog)]
        clock = {"batches": self.clock.batches, "step": self.clock.step}
        checkpoint["rhobin"] = {
            "format": FORMAT, "version": rhobin.__version__, "identity": self.identity,
            "random": random_state(), "log_rows": sum(rows), "clock": clock,
            "processes": trainer.world_size,
        }  # fmt: skip
        checkpoint |= {"global_step": self.clock.step, "epoch": self.clock.epoch, "loops": None}

    def on_load_checkpoint(self, trainer: pl.Trainer, module: Any, checkpoint: dict[str, Any]) -> None:
        """Cut the log back to what it held then; put back the weights that training goes on from."""
        self.restored = checkpoint["rhobin"]
        if "training_weights" in checkpoint:
            module.net.load_state_dict(checkpoint["training_weights"])
        for logger in trainer.loggers:
            if isinstance(logger, CsvLog):
                logger.cut(self.restored["log_rows"], checkpoint["global_step"])

    def on_train_batch_start(self, *args: Any) -> None:
        """Restore the generators' states, when the loader's iterator has been made."""
        self.restore_generators()

    def restore_generators(self) -> None:
        """Restore the generators' states once."""
        if self.restored is not None:
            restore_random_state(self.restored["random"])
            self.restored = None

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Save the best state when the score has improved, the last one when it is time."""
        if self.judge.step == self.clock.step and self.judge.monitor.better(self.judge.value, self.best):
            self.best = self.judge.value
            trainer.save_checkpoint(self.folder / BEST, weights_only=False)
        stop = self.clock.stepped and self.request.agreed(trainer)
        if stop or self.clock.due(self.every_n_steps):
            self.save_last(trainer)
        trainer.should_stop |= stop

    def on_train_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Write the last state where it is not on disk: something else stopped the run, or a kill did."""
        if self.clock.stepped and self.saved_step != self.clock.step:
            self.restore_generators()
            self.save_last(trainer)

    def save_last(self, trainer: pl.Trainer) -> None:
        """Save the last state and keep the one before it."""
        last = self.folder / LAST
        if trainer.is_global_zero and last.is_file():
            last.replace(self.folder / PREVIOUS)
        trainer.save_checkpoint(last, weights_only=False)
        self.saved_step = self.clock.step


def random_state() -> dict[str, Any]:
    """States of Python's, NumPy's and torch's generators, in plain types."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - libraries draw from the global generator
    return {
        "python": random.getstate(),
        "numpy": {**numpy, "state": {**numpy["state"], "key": numpy["state"]["key"].tolist()}},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Undo `random_state`."""
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))
    numpy = state["numpy"]
    key = np.array(numpy["state"]["key"], dtype=np.uint32)
    np.random.set_state({**numpy, "state": {**numpy["state"], "key": key}})  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all(state["cuda"])
