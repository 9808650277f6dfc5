"""Trainings of two processes, as torchrun starts them, forked from one that has everything imported."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

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


def start(work: Callable[..., None], folder: Path, *args: object) -> list:
    """Run `work(*args)` in two processes of one training; what each says goes to `folder/RANK`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [FORKS.Process(target=_run, args=(work, rank, port, folder, args)) for rank in range(RANKS)]
    for process in processes:
        process.start()
    return processes


def train(work: Callable[..., None], folder: Path, *args: object) -> list[int]:
    """The same to its end; the exit statuses."""
    processes = start(work, folder, *args)
    for process in processes:
        process.join(TIMEOUT)
    return [process.exitcode for process in processes]


def fit_all(jobs: list[tuple[str, ...]]) -> None:
    """Train what the overrides say, one after the other."""
    from rhobin.engine.fit import fit

    for overrides in jobs:
        fit(composed(*overrides))


def _run(work: Callable[..., None], rank: int, port: int, folder: Path, args: tuple) -> None:
    output = os.open(folder / str(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(RANKS), "LOCAL_WORLD_SIZE": str(RANKS),
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
