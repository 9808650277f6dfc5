"""A checkpoint file, read only where every byte is as it was written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

CHUNK = 1 << 20
CONTENT = {"state_dict": dict, "global_step": int, "epoch": int, "optimizer_states": list, "rhobin": dict}
RECORD = {"identity": dict, "random": dict, "log_rows": int, "clock": dict}


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, is not rhobin's, or does not fit the run."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU. The file cannot run code.

    Raises:
        CheckpointError: with the reason: truncated, changed since it was written, or not rhobin's.
    """
    try:
        check_records(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{path}: not readable ({reason})") from error
    check_content(path, state)
    return state


def check_records(path: Path) -> None:
    """Read every record of a zip archive and compare its checksum.

    `torch.load` compares none: a flipped bit would become another weight.

    Raises:
        ValueError: a record is damaged or occurs twice.
        zipfile.BadZipFile: the archive is.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("a record occurs twice")
        damaged = archive.testzip()
    if damaged:
        raise ValueError(f"record {damaged} is not as it was written")


def check_content(path: Path, state: Any) -> None:
    """Refuse what lacks a part that a resume needs.

    Raises:
        CheckpointError: naming the part.
    """
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: not a rhobin checkpoint (it holds a {type(state).__name__})")
    for content, expected in ((state, CONTENT), (state.get("rhobin"), RECORD)):
        for key, kind in expected.items():
            if not isinstance(content, dict) or not isinstance(content.get(key), kind):
                raise CheckpointError(f"{path}: not a rhobin checkpoint (it lacks {key!r})")
