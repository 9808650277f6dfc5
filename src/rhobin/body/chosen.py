"""Which body models were asked for, what they are called, and a hash of their files."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rhobin.body.load import search
from rhobin.body.model import BodyModel
from rhobin.types import GENDERS

STAND_IN = "standin"
"""What is asked for in place of a folder to take the stand-in of the package."""
STAND_IN_NAME = "stand-in"
"""What the stand-in is called in files and tables."""


def body_folder(asked: str | Path | None) -> Path | None:
    """The folder asked for; None, the stand-in, for `STAND_IN` and where nothing is asked for."""
    return None if asked is None or str(asked) == STAND_IN else Path(asked)


def body_name(bodies: Iterable[BodyModel]) -> str:
    """What body models are called: the names in their files; stand-in, wherever its files lie."""
    names = sorted({body.model_id for body in bodies})
    if any(name.startswith("rhobin-standin-") for name in names):
        return STAND_IN_NAME
    return ", ".join(names)


def body_hash(folder: Path | None) -> str:
    """Twelve hex digits that change when a SMPL-H file of a folder does; None is the stand-in.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    text = " ".join(f"{gender} {digest}" for gender, digest in _digests(folder).items())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_stand_in(folder: Path | None) -> bool:
    """Whether all SMPL-H files of a folder, of which there are some, are copies of the stand-in."""
    found = _digests(folder)
    return bool(found) and found.items() <= _digests(None).items()


def _digests(folder: Path | None) -> dict[str, str]:
    """SHA-256 of the file of each gender that there is."""
    found = {gender: search(gender, folder) for gender in GENDERS}
    return {
        gender: _digest(path, path.stat().st_mtime_ns, path.stat().st_size)
        for gender, path in found.items()
        if path
    }


@cache
def _digest(path: Path, changed: int, size: int) -> str:
    """SHA-256 of a file, read once for as long as it does not change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
