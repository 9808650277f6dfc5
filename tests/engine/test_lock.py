"""One training a run folder, and no lock that outlives its process."""

import errno
import fcntl
import os
import signal
import time

import pytest

from rhobin.engine.lock import LockedError, locked


def test_a_folder_in_use_is_refused_and_its_holder_named(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(LockedError, match=rf"in use by process {os.getpid()} on \S+ since"),
        locked(tmp_path),
    ):
        pass


def test_the_lock_is_released_at_the_end_and_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "new"):
        1 / 0  # noqa: B018
    with locked(tmp_path / "new"):
        assert (tmp_path / "new" / ".lock").read_text().startswith("process ")
    assert (tmp_path / "new" / ".lock").read_text() == ""


def test_a_killed_process_leaves_no_lock_though_its_loader_lives_on(tmp_path):
    read, write = os.pipe()
    holder = os.fork()
    if holder == 0:
        with locked(tmp_path):
            loader = os.fork()
            if loader == 0:
                time.sleep(60)
                os._exit(0)
            os.write(write, f"{loader}\n".encode())
            time.sleep(60)
    loader = int(os.read(read, 20))
    with pytest.raises(LockedError, match=f"process {holder} "), locked(tmp_path):
        pass
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    try:
        os.kill(loader, 0)
        with locked(tmp_path):
            pass
    finally:
        os.kill(loader, signal.SIGKILL)


def test_other_processes_of_one_training_do_not_ask(tmp_path, monkeypatch):
    monkeypatch.setattr("rhobin.engine.lock.rank_zero_only.rank", 1)
    with locked(tmp_path), locked(tmp_path):
        assert not (tmp_path / ".lock").exists()


def test_a_file_system_without_locks_is_said_and_trained_on(tmp_path, monkeypatch, caplog):
    def refuse(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path):
        pass
    assert "this file system has no locks" in caplog.text


def test_a_folder_that_cannot_be_made_is_told_with_its_key(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OSError, match=r"run_dir is .*file/run, where nothing can be written.*run_dir=FOLDER"),
        locked(tmp_path / "file" / "run"),
    ):
        pass
