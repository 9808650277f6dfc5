"""A checkpoint file, read only where every byte is as it was written."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import rhobin
from rhobin.pickles import check_expansion

FORMAT = 1
"""Of the checkpoints that this version writes; a change that older versions would misread raises it."""

CHUNK = 1 << 20
WEIGHTS = {"state_dict": dict, "global_step": int, "epoch": int, "rhobin.identity": dict}
RESUME = {"optimizer_states": list, "rhobin.random": dict, "rhobin.log_rows": int, "rhobin.clock": dict}


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, is not rhobin's, or does not fit the run."""


class NewerCheckpointError(ValueError):
    """A checkpoint of a newer version; nothing is overwritten because of it."""


@dataclass(frozen=True)
class Saved:
    """What a readable checkpoint says about itself; `processes` of its training, 1 where it does not say."""

    path: Path
    step: int
    epoch: int
    log_rows: int
    identity: Mapping[str, Any]
    processes: int = 1


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU. The file cannot run code.

    Raises:
        CheckpointError: with the reason: truncated, changed since it was written, or not rhobin's.
        NewerCheckpointError: a newer version wrote it.
    """
    try:
        check_records(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{path}: not readable ({reason})") from error
    check_parts(path, state, WEIGHTS)
    check_format(path, state["rhobin"])
    return state


def check_format(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse a checkpoint whose format this version does not know.

    Raises:
        NewerCheckpointError: naming both versions.
    """
    found = record.get("format", FORMAT)
    if found != FORMAT:
        raise NewerCheckpointError(
            f"{path} was written by rhobin {record.get('version')} in format {found}; this is rhobin "
            f"{rhobin.__version__}, which reads format {FORMAT}. Install that version, or "
            "train in another run_dir"
        )


def check_records(path: Path) -> None:
    """Read every record of a zip archive and compare its checksum.

    `torch.load` compares none: a flipped bit would become another weight.

    Raises:
        ValueError: a record is damaged or occurs twice, or it unpacks to far more than its size.
        zipfile.BadZipFile: the archive is.
    """
    check_expansion(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("a record occurs twice")
        damaged = archive.testzip()
    if damaged:
        raise ValueError(f"record {damaged} is not as it was written")


def check_parts(path: Path, state: Any, parts: Mapping[str, type]) -> None:
    """Refuse a checkpoint that lacks a part, named by the keys that lead to it.

    Raises:
        CheckpointError: naming the part.
    """
    for name, kind in parts.items():
        part = state
        for key in name.split("."):
            part = part.get(key) if isinstance(part, dict) else None
        if not isinstance(part, kind):
            raise CheckpointError(f"{path}: not a whole rhobin checkpoint (it lacks {name})")


def read_all(files: Sequence[Path]) -> tuple[list[Saved], dict[Path, CheckpointError]]:
    """What the readable files say about themselves, and what is wrong with the others."""
    saved, broken = [], {}
    for path in files:
        try:
            saved.append(read_saved(path))
        except CheckpointError as error:
            broken[path] = error
    return saved, broken


def read_saved(path: Path) -> Saved:
    """Read a checkpoint that a run can go on from, and keep only what it says about itself.

    Raises:
        CheckpointError: it cannot be read, or lacks a part.
    """
    state = read_checkpoint(path)
    check_parts(path, state, RESUME)
    record = state["rhobin"]
    return Saved(
        path,
        state["global_step"],
        state["epoch"],
        record["log_rows"],
        record["identity"],
        record.get("processes", 1),
    )
