"""Trained weights: those of a run folder's checkpoint, or of a folder that `rhobin export` wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

import rhobin
from rhobin.engine.runinfo import kept_in, read_run
from rhobin.engine.saved import CheckpointError, check_parts, read_checkpoint
from rhobin.files import read_sealed
from rhobin.scoring.calibration import CALIBRATION
from rhobin.scoring.joint_lines import JOINT_LINES

SCHEMA = 1
CARD, WEIGHTS, CONFIG = "card.json", "model.safetensors", "config.yaml"
READ = (WEIGHTS, CONFIG, JOINT_LINES, CALIBRATION)
"""Files of an export that rhobin reads; the card holds the SHA-256 of those that there are."""
KEYS = {"run": str, "checkpoint": str, "checkpoint_hash": str, "step": int, "rhobin": str, "files": dict}
AGAIN = (
    "Copy or download the folder again (a git clone needs git lfs), or export the run again: "
    "rhobin export RUN DIR"
)


@dataclass(frozen=True)
class Weights:
    """Where trained weights are.

    Attributes:
        file: a checkpoint, or an export's weights.
        home: folder of what is known of the checkpoint's errors.
        run: id of the run.
        exported: SHA-256 of the checkpoint that an export was made of; None for a checkpoint itself.
    """

    file: Path
    home: Path
    run: str
    exported: str | None = None

    @property
    def checkpoint_hash(self) -> str:
        """SHA-256 of the checkpoint, also of one that is not here any more."""
        return self.exported or file_hash(self.file)


def find_weights(folder: Path, checkpoint: str) -> Weights:
    """Weights of a run folder or of an export, whose files are compared with its card.

    Args:
        folder: of a run or an export.
        checkpoint: "best" or "last"; an export holds one, which "best" takes whichever it is.

    Raises:
        FileNotFoundError: a file of an export is missing.
        ValueError: an export was changed, is another version's, or does not hold that checkpoint.
    """
    if not is_export(folder):
        file = folder / "checkpoints" / f"{checkpoint}.ckpt"
        return Weights(file, kept_in(folder, checkpoint), read_run(folder).get("id", folder.name))
    card = read_card(folder)
    if checkpoint not in ("best", card["checkpoint"]):
        raise ValueError(
            f"{folder} is an export of the {card['checkpoint']} checkpoint; expected that one, found "
            f"checkpoint {checkpoint}. Leave the choice out, or export that one: "
            f"rhobin export RUN DIR --checkpoint {checkpoint}"
        )
    check_files(folder, card["files"])
    return Weights(folder / WEIGHTS, folder, card["run"], card["checkpoint_hash"])


def is_export(folder: Path) -> bool:
    """Whether `rhobin export` wrote the folder."""
    return (folder / CARD).is_file()


def read_card(folder: Path) -> dict[str, Any]:
    """The card of an export.

    Raises:
        ValueError: it was changed, has another schema, or lacks a key.
    """
    path = folder / CARD
    try:
        card = read_sealed(path)
    except ValueError as error:
        raise ValueError(f"{error}. {AGAIN}") from error
    if card.get("schema") != SCHEMA:
        raise ValueError(
            f"{path}: expected schema {SCHEMA}, which rhobin {rhobin.__version__} reads, found "
            f"{card.get('schema')}, written by rhobin {card.get('rhobin')}. Install that version, or export "
            "the run again with this one: rhobin export RUN DIR"
        )
    try:
        check_parts(path, card, KEYS)
    except CheckpointError as error:
        raise ValueError(f"{error}. {AGAIN}") from error
    return card


def check_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Refuse files of an export that are not those that were written.

    Raises:
        FileNotFoundError: one is missing.
        ValueError: one was changed, or added.
    """
    for name in READ:
        path, wanted = folder / name, expected.get(name)
        if not path.is_file() and wanted:
            raise FileNotFoundError(f"{path} is missing; {CARD} lists it. {AGAIN}")
        found = file_hash(path) if path.is_file() else None
        if found != wanted:
            raise ValueError(
                f"{path} was changed after the export: expected {wanted or 'no such file'} (SHA-256 in "
                f"{CARD}), found {found}. {AGAIN}"
            )


def load_exported(module: nn.Module, file: Path) -> int:
    """Put an export's weights into a module.

    Returns:
        The step that they were trained to.

    Raises:
        ValueError: the module has other tensors.
    """
    card = read_card(file.parent)
    try:
        module.load_state_dict(read_tensors(file))
    except RuntimeError as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ValueError(
            f"{file} does not fit the network that rhobin {rhobin.__version__} builds from {CONFIG}: {reason}"
            f" rhobin {card['rhobin']} exported it. Install that version and commit ({CARD} names both)"
        ) from error
    return card["step"]


def trained_tensors(file: Path) -> dict[str, Tensor]:
    """Tensors of a checkpoint, or of an export's weights, by the module's names.

    Raises:
        FileNotFoundError: the file's export lacks a file.
        ValueError: it cannot be read, or its export was changed.
    """
    if file.suffix != Path(WEIGHTS).suffix:
        return read_checkpoint(file)["state_dict"]
    if is_export(file.parent):
        check_files(file.parent, read_card(file.parent)["files"])
    return read_tensors(file)


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, on the CPU.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return load_file(file)
    except SafetensorError as error:
        raise CheckpointError(f"{file}: not readable as safetensors ({error})") from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
