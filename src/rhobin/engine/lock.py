"""One training a run folder: a lock that vanishes with its process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from pytorch_lightning.utilities import rank_zero_only

log = logging.getLogger(__name__)
LOCK = ".lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
held: set[IO[str]] = set()


class LockedError(RuntimeError):
    """Another process trains in the run folder."""


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Hold a run folder, which is made where it is missing; only the first rank does.

    Raises:
        LockedError: naming the process that holds it.
        OSError: nothing can be written there.
    """
    if getattr(rank_zero_only, "rank", 0):
        yield
        return
    with opened(run_dir) as file:
        take(file, run_dir)
        held.add(file)
        try:
            yield
        finally:
            held.discard(file)
            file.truncate(0)


def opened(run_dir: Path) -> IO[str]:
    """The file that is locked, in a run folder that is made where it is missing.

    Raises:
        OSError: nothing can be written there.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        return (run_dir / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise OSError(
            f"run_dir is {run_dir}, where nothing can be written ({error.strerror or error}); "
            "choose another folder with run_dir=FOLDER"
        ) from error


def take(file: IO[str], run_dir: Path) -> None:
    """Lock the open file and write into it who holds it.

    Raises:
        LockedError: another process has locked it.
    """
    if not flocked(file, run_dir, wait=False):
        time.sleep(0.1)  # `holder` may be looking
        if not flocked(file, run_dir, wait=False):
            file.seek(0)
            raise LockedError(
                f"{run_dir} is in use by {file.read().strip() or 'another process'}. "
                "Wait until it has ended or stop it, or choose another run_dir"
            )
    file.truncate(0)
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()} since {now}\n".encode())
    except OSError as error:
        error.filename = file.name
        raise


def holder(run_dir: Path) -> str | None:
    """The process that holds a run folder, and its machine; None where nobody does or that cannot be told."""
    try:
        with (run_dir / LOCK).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (run_dir / LOCK).read_text(encoding="utf-8").strip() or "another process"
    except OSError:
        pass
    return None


def flocked(file: IO[str], place: Path, wait: bool) -> bool:
    """Lock an open file; whether it is ours now, which it is where the file system has no locks.

    Args:
        file: what is locked.
        place: what is said to be without locks.
        wait: until another process lets go, else return at once.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        tell_no_locks(place, str(error))
    return True


@cache
def tell_no_locks(place: Path, error: str) -> None:
    """Say once that nothing can be locked in a folder."""
    log.warning("%s: this file system has no locks (%s); start no second training here", place, error)


def let_go() -> None:
    """Close the locks' files in a forked process, so that a killed training's loaders do not hold them on."""
    for file in held:
        file.close()
    held.clear()


os.register_at_fork(after_in_child=let_go)
