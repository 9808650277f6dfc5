"""Trainings of two processes, as torchrun starts them, forked from one that has everything imported."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
import torch
from commands import FORKS, TIMEOUT

ROOT = Path(__file__).parents[2]
RANKS = 2
DDP = (
    "trainer=ddp", "trainer.accelerator=cpu", f"trainer.devices={RANKS}", "trainer.gradient_clip_val=1.0",
    "data.batch_size=2",
)  # fmt: skip


def composed(*overrides: str):
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", list(overrides))


def start(work: Callable[..., None], folder: Path, *args: object, count: int = RANKS) -> list:
    """Run `work(*args)` in the processes of one training; what each says goes to `folder/RANK`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = range(count)
    processes = [FORKS.Process(target=_run, args=(work, rank, count, port, folder, args)) for rank in ranks]
    for process in processes:
        process.start()
    return processes


def train(work: Callable[..., None], folder: Path, *args: object, count: int = RANKS) -> list[int]:
    """The same to its end; the exit statuses."""
    processes = start(work, folder, *args, count=count)
    for process in processes:
        process.join(TIMEOUT)
    return [process.exitcode for process in processes]


def fit_all(jobs: list[tuple[str, ...]]) -> None:
    """Train what the overrides say, one after the other."""
    from rhobin.engine.fit import fit

    for overrides in jobs:
        fit(composed(*overrides))


def with_double_precision() -> None:
    """Have the rest of this process train in float64, in which rounding is far below what is logged.

    Lightning's own `64-true` does not take batches that are dataclasses, and float32 is asked for in places.
    """
    from rhobin.engine import evaluator, fit
    from rhobin.types import Batch, map_tensors

    class Double(pl.Callback):
        def setup(self, trainer, module, stage):
            module.double()

    def widened(move):
        return lambda value, device: map_tensors(
            move(value, device), lambda one: one.double() if one.is_floating_point() else one
        )

    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double
    Batch.to, evaluator.to_device = widened(Batch.to), widened(evaluator.to_device)
    build = fit.build_callbacks
    fit.build_callbacks = lambda *args: [*build(*args), Double()]


def fit_double(jobs: list[tuple[str, ...]]) -> None:
    """`fit_all` in float64."""
    with_double_precision()
    fit_all(jobs)


def _run(work: Callable[..., None], rank: int, count: int, port: int, folder: Path, args: tuple) -> None:
    output = os.open(folder / str(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
        "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "test", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    torch.set_num_threads(1)
    from pytorch_lightning.utilities import rank_zero_only

    rank_zero_only.rank = rank  # Lightning was imported before anybody knew
    try:
        work(*args)
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None
