"""Which checkpoint a run starts from, and whether it may."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

BROKEN = (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile)


class ResumeError(ValueError):
    """A run may not start from what it was pointed at."""


@dataclass(frozen=True)
class Start:
    """Where a run starts.

    Attributes:
        checkpoint: file to go on from; None for a fresh run.
        step: optimiser steps already done.
        epoch: epoch the checkpoint was written in.
        messages: what a person should know, one line each.
    """

    checkpoint: Path | None = None
    step: int = 0
    epoch: int = 0
    messages: tuple[str, ...] = ()


def find_start(run_dir: Path, resume: str, identity: dict[str, Any], allow_changes: bool = False) -> Start:
    """Apply the resume rule.

    Args:
        run_dir: folder of the run.
        resume: `none` starts afresh and refuses a folder with checkpoints; `auto` goes on from the newest
            readable checkpoint of the folder, or starts afresh in an empty one; else a checkpoint's path.
        identity: flat config of the run about to start.
        allow_changes: go on although the checkpoint's config differs.

    Raises:
        ResumeError: the folder is taken, no checkpoint can be read, or it belongs to another experiment.
        FileNotFoundError: the path names no file.
    """
    files = newest_first(run_dir / "checkpoints")
    if resume == "none":
        if files:
            raise ResumeError(
                f"{run_dir} already holds {files[0].name}. Go on with resume=auto, choose another run_dir, "
                f"or remove {run_dir}"
            )
        return Start()
    if resume == "auto":
        return newest_start(files, identity, allow_changes)
    path = Path(resume)
    if not path.is_file():
        raise FileNotFoundError(
            f"resume={resume}: no such checkpoint; resume takes none, auto or a file's path"
        )
    state = read_checkpoint(path)
    if state is None:
        raise ResumeError(
            f"{path} is not a readable rhobin checkpoint (truncated, or written by something else)"
        )
    return start_from(path, state, identity, allow_changes)


def newest_first(folder: Path) -> list[Path]:
    """Checkpoints of a folder, the most recently written first."""
    return sorted(folder.glob("*.ckpt"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def newest_start(files: list[Path], identity: dict[str, Any], allow_changes: bool) -> Start:
    """Start from the furthest readable checkpoint of a folder, telling which ones were passed over."""
    states = {path: read_checkpoint(path) for path in files}
    skipped = tuple(f"skipped {path}: not readable" for path, state in states.items() if state is None)
    readable = [(path, state) for path, state in states.items() if state is not None]
    if files and not readable:
        raise ResumeError(
            f"none of {', '.join(str(f) for f in files)} can be read; remove the folder to train afresh"
        )
    if not readable:
        return Start()
    path, state = max(readable, key=lambda item: item[1]["global_step"])
    return start_from(path, state, identity, allow_changes, skipped)


def start_from(
    path: Path,
    state: dict[str, Any],
    identity: dict[str, Any],
    allow_changes: bool,
    messages: tuple[str, ...] = (),
) -> Start:
    """A start from a checkpoint whose config fits."""
    changes = differences(state["rhobin"]["identity"], identity)
    if changes and not allow_changes:
        raise ResumeError(
            f"{path} belongs to another experiment; checkpoint -> now:\n  "
            + "\n  ".join(changes)
            + "\nTrain in another run_dir, undo the changes, or accept them with allow_changes=true"
        )
    noted = tuple(f"changed since the checkpoint: {change}" for change in changes)
    return Start(path, state["global_step"], state["epoch"], messages + noted)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """A checkpoint's content, or None when it cannot be read or is not ours."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return state if {"state_dict", "global_step", "epoch", "rhobin"} <= state.keys() else None
    except (*BROKEN, AttributeError):
        return None


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lines `key: old -> new` for the keys that differ; `-` stands for an absent key."""
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key, "-") != new.get(key, "-"))
    return [f"{key}: {old.get(key, '-')} -> {new.get(key, '-')}" for key in keys]
