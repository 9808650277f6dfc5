"""Archives of arrays (`.npz`), read without running code in them and without unpacking a bomb."""

from __future__ import annotations

import zipfile
from collections.abc import Container
from pathlib import Path

import numpy as np

from rhobin.pickles.load import BrokenFileError

EXPANSION, ALLOWANCE = 100, 1 << 28
"""An archive may unpack to so many times its size, and so many bytes besides."""


def read_npz(path: Path, wanted: Container[str] | None = None) -> dict[str, np.ndarray]:
    """Read arrays of numbers and strings.

    Args:
        path: an .npz file.
        wanted: names of the arrays to read; all by default.

    Raises:
        FileNotFoundError: there is no such file.
        BrokenFileError: it is truncated, holds Python objects, or would unpack to far more than its size.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}; check the path or copy the file there")
    reading = "its list of arrays"
    try:
        check_expansion(path)
        arrays = {}
        with np.load(path, allow_pickle=False) as archive:
            for reading in archive.files:
                if wanted is None or reading in wanted:
                    arrays[reading] = np.asarray(archive[reading])
        return arrays
    except BrokenFileError:
        raise
    except Exception as error:  # a broken archive can raise nearly anything
        raise BrokenFileError(
            f"{path}: {reading}: expected plain arrays of a complete .npz file, found "
            f"{type(error).__name__}: {error}; copy or download it again"
        ) from error


def check_expansion(path: Path) -> None:
    """Refuse a zip archive that unpacks to far more than its size.

    Raises:
        BadZipFile: it is no zip archive.
        BrokenFileError: it unpacks to more than 100 times its size and 256 MiB.
    """
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    most = EXPANSION * path.stat().st_size + ALLOWANCE
    if size > most:
        raise BrokenFileError(
            f"{path}: expected an archive that unpacks to at most {most / 1e6:.0f} MB "
            f"({EXPANSION} times its size and {ALLOWANCE / 1e6:.0f} MB), found {size / 1e6:.0f} MB"
        )
