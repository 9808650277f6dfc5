"""The processes of one training: whether they belong together, and which of them speaks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console
from torch.nn.parallel import DistributedDataParallel

from rhobin import ranks
from rhobin.behave.skips import Skip
from rhobin.clock import Clock
from rhobin.engine.checkpoint import random_state, restore_random_state
from rhobin.engine.resume import ResumeError, Start
from rhobin.engine.signals import Interrupted
from rhobin.methods.finite import NonFiniteLossError
from rhobin.nets.shared_norm import share_norms
from rhobin.terminal import plain_console


def own_rank() -> int:
    """Which process of a training this is: as the launcher says, also before the processes have met."""
    return getattr(rank_zero_only, "rank", 0) or 0


def first_console() -> Console:
    """A console on which the first process writes and the others are silent."""
    return plain_console(quiet=own_rank() > 0)


@contextmanager
def told_once() -> Iterator[None]:
    """Leave it to the first process to tell what ends all of them; the others end without an error."""
    try:
        yield
    except (NonFiniteLossError, Interrupted):
        if own_rank() == 0:
            raise
        raise SystemExit(0) from None


def check_started(trainer: pl.Trainer, rank: int) -> None:
    """Refuse processes that the trainer's settings leave out, or that nobody would start.

    Args:
        trainer: built.
        rank: of this process, as its launcher says.

    Raises:
        ValueError: naming the settings.
    """
    if rank >= trainer.world_size:
        raise ValueError(
            f"this is process {rank} (RANK, LOCAL_RANK or SLURM_PROCID) of those that torchrun or srun "
            f"started, but trainer.devices x trainer.num_nodes makes {trainer.world_size}. Train on several "
            "devices with trainer=ddp trainer.devices=N trainer.num_nodes=M, or start one process"
        )
    environment = getattr(trainer.strategy, "cluster_environment", None)
    if trainer.num_nodes > 1 and isinstance(environment, LightningEnvironment):
        raise ValueError(
            f"trainer.num_nodes is {trainer.num_nodes}, but nothing has started processes on the other "
            "machines. Start train.py by torchrun --nnodes or srun (docs/decisions/0165-several-devices.md)"
        )


def check_batch(start: Start, config: DictConfig, processes: int) -> list[str]:
    """What to tell of a run that goes on with another number of processes.

    Args:
        start: where it goes on from.
        config: of now.
        processes: of now.

    Raises:
        ResumeError: a step would have another number of samples, and `allow_changes` is not set.
    """
    if not start.checkpoint or processes == start.processes:
        return []
    size = config.data.batch_size
    before, now = start.batch_size * start.processes, size * processes
    change = (
        f"goes on with {processes} x {size} samples a batch (processes x data.batch_size) after "
        f"{start.processes} x {start.batch_size}"
    )
    if before == now:
        own = (processes > 1 and not config.trainer.get("sync_batchnorm")) or start.own_norms
        norms = ", but for batch norms, which each process has of its own" if own else ""
        return [f"this run {change}: the same samples in every step, the same to rounding{norms}"]
    if config.allow_changes:
        return [f"this run {change}: epochs are dealt anew, after as many batches as were trained"]
    raise ResumeError(
        f"{start.checkpoint} {change}. Set data.batch_size so that all processes together take {before}, or "
        "accept another order of samples with allow_changes=true"
    )


def told_batch(config: DictConfig, processes: int) -> str:
    """Samples a step, and that the learning rate is left as it is; empty for one process and batch a step."""
    each, added = config.data.batch_size, config.trainer.accumulate_grad_batches
    if processes * added == 1:
        return ""
    return (
        f"{each * processes * added} samples a step: {each} a device x {processes} processes x {added} added "
        f"up; learning rate {config.optim.optimizer.get('lr')} as configured, not scaled"
    )


def share_threads(config: DictConfig) -> None:
    """Set the number of threads; without one, processes on one machine's CPU share its cores.

    Lightning sets its own number where the environment has none.
    """
    devices, threads = config.trainer.get("devices"), config.threads
    if not threads and config.trainer.accelerator == "cpu" and isinstance(devices, int) and devices > 1:
        threads = max(1, (os.cpu_count() or 1) // devices)
    if threads:
        torch.set_num_threads(threads)
        if devices != 1:
            os.environ["OMP_NUM_THREADS"] = str(threads)


def prepare_processes(module: pl.LightningModule, config: DictConfig, device: torch.device) -> None:
    """Share batch statistics where the config says so; let DDP send no tables that each process has built.

    Args:
        module: is changed. Its tables are the buffers that are in no checkpoint, such as body models.
        config: of the run.
        device: that it will compute on.
    """
    if config.trainer.get("sync_batchnorm"):
        share_norms(module, device)
    kept = module.state_dict().keys()
    tables = [name for name, _ in module.named_buffers() if name not in kept]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(module, tables)


class Together(pl.Callback):
    """Compares the processes at the start, and collects at the end what only some have seen.

    Args:
        clock: counts batches.
        datamodule: of the training.

    Attributes:
        skips: views that any process left out, once the training has ended.
    """

    def __init__(self, clock: Clock, datamodule: Any) -> None:
        self.clock, self.datamodule = clock, datamodule
        self.skips: list[Skip] = []
        self.drawn = random_state()

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        """Draw on from where building the network ended: Lightning seeds anew when several processes meet."""
        restore_random_state(self.drawn)

    def on_train_start(self, *args: Any) -> None:
        """Refuse processes that would train something else.

        Raises:
            ValueError: naming the process and what it has.
        """
        data = self.datamodule
        facts = f"step {self.clock.step}, {len(data.train_dataset)} views, data hash {data.data_hash}"
        told = ranks.gathered(facts)
        for rank, other in enumerate(told):
            if other != told[0]:
                raise ValueError(
                    f"process {rank} starts with {other}; process 0 with {told[0]}. "
                    "Every machine has to see the same run_dir and the same data.root"
                )

    def on_train_end(self, *args: Any) -> None:
        """Collect what any process left out."""
        own, *others = ranks.gathered(self.datamodule.skips)
        known = set(own)
        self.skips = own + list(dict.fromkeys(s for skips in others for s in skips if s not in known))
