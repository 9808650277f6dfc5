"""Files that a reader finds whole, the old content or the new and never half of it; and JSON of anybody."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SEAL = "seal"
"""Key of a sealed file for the hash of what else it holds."""

PART = ".{name}.{pid}.part"


@contextmanager
def written_whole(path: Path, flush: bool = False) -> Iterator[IO[bytes]]:
    """A file to write into that takes the place of `path` when the block ends without an error.

    It is written beside `path`, in a folder that is made where it is missing, as `.NAME.PID.part`; an error
    removes it, a kill leaves it.

    Args:
        path: the file to write.
        flush: wait until the bytes are on the disk, so that the file also survives a loss of power.

    Yields:
        The open binary file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(PART.format(name=path.name, pid=os.getpid()))
    try:
        with part.open("wb") as file:
            yield file
            if flush:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:  # a write names no file
            error.filename = str(path)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole."""
    with written_whole(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole: UTF-8, with line ends as they are in `text`."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any, indent: int = 1) -> None:
    """Write a JSON file whole, with a line end at its end."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file holds: UTF-8 with or without a byte order mark, UTF-16 or UTF-32.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def seal(content: Mapping[str, Any], beside: bytes = b"") -> str:
    """Hash of an object, whatever seal it holds, and of the bytes of a file that belongs to it."""
    plain = json.dumps({key: value for key, value in content.items() if key != SEAL}, sort_keys=True)
    return hashlib.sha256(plain.encode() + beside).hexdigest()


def write_sealed(path: Path, content: Mapping[str, Any], beside: bytes = b"") -> None:
    """Write an object as JSON with its seal, so that a change of it is seen when it is read."""
    write_json(path, {**content, SEAL: seal(content, beside)})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not JSON, or was changed.
    """
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path} was changed after it was written: {error}") from error
    if not isinstance(content, dict) or content.pop(SEAL, None) != seal(content):
        raise ValueError(f"{path} was changed after it was written")
    return content


def leftovers(folder: Path) -> list[Path]:
    """Parts that killed writers left in a folder, or that others are writing."""
    return sorted(folder.glob(PART.format(name="*", pid="*")))


def clear_leftovers(folder: Path) -> None:
    """Remove the parts in a folder whose writers do not run any more."""
    for part in leftovers(folder):
        if not _others(part.name.split(".")[-2]):
            part.unlink(missing_ok=True)


def _others(pid: str) -> bool:
    """Whether another process of this machine has the number."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(pid) != os.getpid()
