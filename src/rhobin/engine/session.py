"""One session of a run: what it writes into the run folder before, and how it says that it ended."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

from rhobin.clock import Clock
from rhobin.engine.overlays import OVERLAYS
from rhobin.engine.resume import Start, make_way
from rhobin.engine.runinfo import write_run
from rhobin.engine.signals import Interrupted, command_to_go_on
from rhobin.engine.watch import PrunedError
from rhobin.files import clear_leftovers, write_text

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""A disk that is full, over a quota or read-only: what is there is whole, and the run can go on later."""


@rank_zero_only
def open_run(run_dir: Path, config: DictConfig, info: dict[str, Any], start: Start) -> None:
    """Write the run's identity before anything can fail; a fresh start leaves no trace of an older one."""
    folder = run_dir / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(run_dir)
    clear_leftovers(folder)
    make_way(run_dir, start)
    if start.checkpoint is None:
        for name in ("metrics.csv", OVERLAYS):
            (run_dir / name).unlink(missing_ok=True)
    write_text(run_dir / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    write_run(run_dir, info)


@contextmanager
def recorded(run_dir: Path, info: dict[str, Any], console: Console) -> Iterator[None]:
    """Keep in `run.json` how the session ended and how long all sessions took."""
    began, before = time.monotonic(), info["seconds"]
    info["state"] = "interrupted"
    try:
        yield
    except Interrupted as stop:
        info["state"] = f"interrupted by {stop.name} at step {info.get('steps', 0)}"
        tell_how_to_go_on(run_dir, f"was {info['state']}", console)
        raise
    except OSError as error:
        info["state"] = f"failed: {error.strerror or type(error).__name__}"
        if error.errno in UNWRITABLE:
            tell_how_to_go_on(run_dir, info["state"], console)
        raise
    except PrunedError as stop:
        info["state"] = f"pruned: {stop}"
        raise
    except Exception as error:
        info["state"] = f"failed: {type(error).__name__}"
        raise
    finally:
        info["seconds"] = round(before + time.monotonic() - began, 1)
        with suppress(OSError) if sys.exception() else nullcontext():  # what came first is told
            record(run_dir, info)


class NoteLength(pl.Callback):
    """Notes in `run.json`, when training begins, how many steps the whole run has.

    Args:
        run_dir: the run folder.
        info: content of its `run.json`.
        clock: knows the steps.
    """

    def __init__(self, run_dir: Path, info: dict[str, Any], clock: Clock) -> None:
        self.run_dir, self.info, self.clock = run_dir, info, clock

    def on_train_start(self, *args: Any) -> None:
        """Note it."""
        self.info["total_steps"] = self.clock.total
        record(self.run_dir, self.info)


@rank_zero_only
def tell_how_to_go_on(run_dir: Path, ended: str, console: Console) -> None:
    """Say how a run ended early and how it goes on."""
    message = f"{run_dir} {ended}; go on with\n  {command_to_go_on()}"
    console.print(message, style="yellow", highlight=False, soft_wrap=True)


@rank_zero_only
def record(run_dir: Path, info: dict[str, Any]) -> None:
    """Write `run.json` again."""
    write_run(run_dir, info)
