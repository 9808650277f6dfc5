"""Which checkpoint a run starts from, and whether it may."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.engine.checkpoint import LAST, PREVIOUS
from rhobin.engine.log import rows_until
from rhobin.engine.saved import CheckpointError, Saved, read_all, read_saved
from rhobin.files import written_whole

SLURM_FILES = "hpc_ckpt_*.ckpt"
SAME_STEP = {LAST: 2, PREVIOUS: 1}
"""Which checkpoint of several of one step a run goes on from: the last one has the settings accepted last."""


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
        aside: files of the run folder that a later `resume=auto` must not take, and their names aside.
        processes: that trained up to there.
        batch_size: samples a batch of each of them.
        own_norms: whether each of several had batch norms of its own.
    """

    checkpoint: Path | None = None
    step: int = 0
    epoch: int = 0
    messages: tuple[str, ...] = ()
    aside: tuple[tuple[Path, str], ...] = ()
    processes: int = 1
    batch_size: int = 0
    own_norms: bool = False


def find_start(run_dir: Path, resume: str, identity: Mapping[str, Any], allow_changes: bool = False) -> Start:
    """Apply the resume rule; nothing is written.

    Args:
        run_dir: folder of the run.
        resume: `none` starts afresh and refuses a folder with checkpoints; `auto` goes on from the furthest
            readable checkpoint of the folder, or starts afresh in an empty one; `afresh` puts aside what the
            folder has, and starts anew; else a checkpoint's path.
        identity: flat config of the run about to start.
        allow_changes: go on although the checkpoint's config differs.

    Raises:
        ResumeError: the folder is taken, no checkpoint can be read, or it belongs to another experiment.
        FileNotFoundError: the path names no file.
    """
    refuse_slurm_files(run_dir, Path(resume))
    files = sorted((run_dir / "checkpoints").glob("*.ckpt"))
    if resume == "none":
        if files:
            raise ResumeError(
                f"{run_dir} already holds {files[0].name}. Go on with resume=auto, choose another run_dir, "
                f"or remove {run_dir}"
            )
        return Start()
    if resume == "afresh":
        return start_afresh(run_dir, files)
    chosen = None if resume == "auto" else read_named(resume)
    saved, broken = read_all(files)
    if chosen is None and not files:
        return Start()
    if chosen is None and not saved:
        raise ResumeError(
            f"no checkpoint can be read; to train afresh remove {run_dir}\n  "
            + "\n  ".join(map(str, broken.values()))
        )
    chosen = chosen or max(saved, key=lambda one: (one.step, SAME_STEP.get(one.path.name, 0)))
    changes = accepted_changes(chosen.path, chosen.identity, identity, allow_changes)
    return start_at(run_dir, chosen, saved, broken, changes)


def start_at(
    run_dir: Path,
    chosen: Saved,
    saved: Sequence[Saved],
    broken: Mapping[Path, CheckpointError],
    changes: Sequence[str],
) -> Start:
    """A start, what has to make way for it, and what to tell."""
    ahead = [one for one in saved if one.step > chosen.step]
    messages = [
        *(f"skipped {error}" for error in broken.values()),
        *(f"{one.path}, step {one.step}, is ahead of the start: kept in checkpoints/aside" for one in ahead),
        *(f"changed since the checkpoint: {change}" for change in changes),
    ]
    kept = len(rows_until(run_dir / "metrics.csv", chosen.log_rows, chosen.step)[1])
    if kept < chosen.log_rows:
        messages.append(
            f"{run_dir / 'metrics.csv'} holds {kept} of the {chosen.log_rows} rows written up to step "
            f"{chosen.step}; the others are lost, or with the run that {chosen.path} comes from"
        )
    aside = [(path, f"unreadable_{path.name}") for path in broken]
    aside += [(one.path, f"step{one.step}_{one.path.name}") for one in ahead]
    known = chosen.identity
    return Start(
        chosen.path,
        chosen.step,
        chosen.epoch,
        tuple(messages),
        tuple(aside),
        chosen.processes,
        known.get("data.batch_size", 0),
        chosen.processes > 1 and not known.get("trainer.sync_batchnorm"),
    )


def start_afresh(run_dir: Path, files: Sequence[Path]) -> Start:
    """A start from nothing, with the checkpoints and the log of an earlier run kept aside."""
    if not files:
        return Start()
    saved, broken = read_all(files)
    aside = [(path, f"unreadable_{path.name}") for path in broken]
    aside += [(one.path, f"step{one.step}_{one.path.name}") for one in saved]
    if (run_dir / "metrics.csv").is_file():
        aside.append((run_dir / "metrics.csv", "metrics.csv"))
    message = f"{run_dir} starts afresh; the earlier checkpoints and their log are kept in checkpoints/aside"
    return Start(messages=(message,), aside=tuple(aside))


def make_way(run_dir: Path, start: Start) -> None:
    """Leave the run folder so that `resume=auto` goes on from this start, at whatever moment it is killed.

    A checkpoint from elsewhere is copied in as `start.ckpt`; those of the branch that is left are kept in
    `checkpoints/aside`.
    """
    folder = run_dir / "checkpoints"
    if start.checkpoint and start.checkpoint.resolve().parent != folder.resolve():
        with start.checkpoint.open("rb") as source, written_whole(folder / "start.ckpt", flush=True) as copy:
            shutil.copyfileobj(source, copy)
    for path, name in start.aside:
        kept = folder / "aside" / name
        kept.parent.mkdir(exist_ok=True)
        path.replace(kept)


def refuse_slurm_files(run_dir: Path, resume: Path) -> None:
    """Refuse checkpoints of Lightning's SLURM handler: Lightning would load them whatever `resume` says.

    Raises:
        ResumeError: there is one in the run folder, or `resume` names one.
    """
    found = [*sorted(run_dir.glob(SLURM_FILES)), *([resume] if resume.match(SLURM_FILES) else [])]
    if found:
        raise ResumeError(
            f"{found[0]} was written by Lightning's SLURM handler and may hold another config's weights; "
            f"expected checkpoints/last.ckpt. Move it out of {run_dir}, then go on with resume=auto"
        )


def read_named(resume: str) -> Saved:
    """What the checkpoint named by `resume` says about itself.

    Raises:
        FileNotFoundError: no such file.
        ResumeError: it cannot be read.
    """
    if not Path(resume).is_file():
        raise FileNotFoundError(
            f"resume={resume}: no such checkpoint; resume takes none, auto, afresh or a file's path"
        )
    try:
        return read_saved(Path(resume))
    except CheckpointError as error:
        raise ResumeError(f"{error}; choose another file, or resume=auto") from error


def accepted_changes(
    path: Path,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    allow_changes: bool,
    advice: str = "Train in another run_dir, undo the changes, or accept them with allow_changes=true",
) -> list[str]:
    """How a config differs from a checkpoint's, where that is allowed.

    Args:
        path: the checkpoint.
        old: flat config that it was written with.
        new: flat config of now.
        allow_changes: whether they may differ.
        advice: what to do where they may not.

    Raises:
        ResumeError: they differ and may not.
    """
    changes = differences(old, new)
    if changes and not allow_changes:
        raise ResumeError(
            f"{path} belongs to another experiment; checkpoint -> now:\n  "
            + "\n  ".join(changes)
            + f"\n{advice}"
        )
    return changes


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines `key: old -> new` for the keys that differ; `-` stands for an absent key."""
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key, "-") != new.get(key, "-"))
    return [f"{key}: {old.get(key, '-')} -> {new.get(key, '-')}" for key in keys]
