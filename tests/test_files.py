"""Files are found whole: after a kill or an error the old content is there, and nothing half-written."""

import json
import signal
import subprocess
import sys

import pytest

from rhobin.files import (
    clear_leftovers,
    leftovers,
    read_sealed,
    write_bytes,
    write_json,
    write_sealed,
    write_text,
    written_whole,
)

KILLED = """
import os, signal, sys
from pathlib import Path
from rhobin.files import written_whole
with written_whole(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_the_old_file_and_a_part_that_is_found(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (part,) = leftovers(tmp_path)
    assert part.read_bytes() == b"half"
    assert sorted(tmp_path.iterdir()) == sorted([path, part])


def test_an_error_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(TypeError), written_whole(path) as file:
        print("half", file=file)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("flush", [False, True])
def test_only_asked_for_is_a_file_flushed_to_the_disk(tmp_path, monkeypatch, flush):
    synced = []
    monkeypatch.setattr("os.fsync", lambda number: synced.append((tmp_path / "b").exists()))
    with written_whole(tmp_path / "b", flush=flush) as file:
        file.write(b"new")
    assert synced == ([False] if flush else [])
    assert (tmp_path / "b").read_bytes() == b"new"


def test_text_and_json_are_written_as_they_are(tmp_path):
    write_text(tmp_path / "new" / "t.csv", "a\r\nü\n")
    assert (tmp_path / "new" / "t.csv").read_bytes() == "a\r\nü\n".encode()
    write_json(tmp_path / "j.json", {"a": [1]}, indent=2)
    assert (tmp_path / "j.json").read_text() == json.dumps({"a": [1]}, indent=2) + "\n"


def test_parts_of_writers_that_are_gone_are_cleared(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a.b")])
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        alive = tmp_path / f".c.{other.pid}.part"
        alive.touch()
        (tmp_path / "d.part").touch()
        clear_leftovers(tmp_path)
        other.communicate(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "d.part"]


@pytest.mark.parametrize("change", [lambda t: t.replace("3", "4", 1), lambda t: t[:9], lambda t: "[]"])
def test_a_sealed_file_that_was_changed_is_refused(tmp_path, change):
    path = tmp_path / "a.json"
    write_sealed(path, {"views": [1, 2, 3], "name": "ä"})
    assert read_sealed(path) == {"views": [1, 2, 3], "name": "ä"}
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match="was changed after it was written"):
        read_sealed(path)
