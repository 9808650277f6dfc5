"""The batch of a step whose loss is no number, kept in the run folder to look at."""

from __future__ import annotations

from pathlib import Path

import torch

from rhobin import ranks
from rhobin.methods.finite import NonFiniteLossError
from rhobin.types import Batch


def with_batch_kept(error: NonFiniteLossError, run_dir: Path) -> NonFiniteLossError:
    """The same error, which says where the batch is saved; it is, in every process that had a bad loss.

    All processes must call this: none ends before all have saved.
    """
    if error.batch is not None:
        save_batch(batch_file(run_dir, ranks.rank()), error.batch)
    ranks.gathered(None)
    text = (
        f"{error}. The batch is saved in {batch_file(run_dir, error.rank)}, the last good state in "
        f"{run_dir / 'checkpoints'}"
    )
    return NonFiniteLossError(text, error.batch, error.rank)


def batch_file(run_dir: Path, rank: int) -> Path:
    """Where a process keeps its batch."""
    return run_dir / f"bad_batch_{rank}.pt"


def save_batch(path: Path, batch: Batch) -> None:
    """Save a batch, so that `torch.load` reads it without running code.

    Args:
        path: of the file.
        batch: whose images, intrinsics, objects and names of views are saved, each by its name.
    """
    tensors = {
        name: getattr(batch, name).cpu() for name in ("image", "K_crop", "turn", "gender", "object_id")
    }
    torch.save({**tensors, "views": [f"{k.sequence}/{k.frame}/k{k.camera}" for k in batch.keys]}, path)
