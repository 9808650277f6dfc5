"""Locks that the system lets go when their process ends, also between machines that share a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from optuna.storages.journal._file import BaseJournalFileLock

from rhobin.engine.lock import flocked, held


class FileLock:
    """A lock on a file of its own.

    Args:
        path: the file, made where it is missing and never removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def take(self, wait: bool = True) -> bool:
        """Lock it; whether it is ours now, which it always is after waiting."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            taken = flocked(file, self.path.parent, wait)
        except BaseException:
            file.close()
            raise
        if not taken:
            file.close()
            return False
        held.add(file)
        self.file = file
        return True

    def let_go(self) -> None:
        """Unlock it, if it is ours."""
        if self.file is not None:
            held.discard(self.file)
            self.file.close()
            self.file = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it, after waiting for others."""
        self.take()
        try:
            yield
        finally:
            self.let_go()


class JournalLock(BaseJournalFileLock):
    """Optuna's journal is appended to by one process at a time, after its last whole line.

    Optuna's own locks are files, which a killed process leaves for half a minute.

    Args:
        journal: the file that is locked.
        path: the lock's file.
    """

    def __init__(self, journal: Path, path: Path) -> None:
        self.journal, self.lock = journal, FileLock(path)

    def acquire(self) -> bool:
        """Wait for the lock; cut off what a process that died in a line has left."""
        self.lock.take()
        try:
            cut_to_lines(self.journal)
        except BaseException:
            self.lock.let_go()
            raise
        return True

    def release(self) -> None:
        """Unlock it."""
        self.lock.let_go()


def cut_to_lines(path: Path) -> None:
    """Cut off what a file holds after its last line end."""
    with path.open("rb+") as file:
        size = file.seek(0, 2)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
