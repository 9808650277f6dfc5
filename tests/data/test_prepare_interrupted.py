"""Preparing that is killed, or has no room: completed to the same bytes, nothing written half."""

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from preparing import RECIPES, content, read_raw, run

from rhobin.data.prepare import build, sequence
from rhobin.data.prepare.build import PrepareError, plan, prepare
from rhobin.data.prepare.prepared import is_prepared
from rhobin.data.prepare.view import (
    prepare_view,
)


def killed_after(root, out, recipe, views):
    """Start preparing and be killed in the middle of a sequence."""
    todo, left = plan(read_raw(root), out, recipe), [views]

    def prepare_some(files, recipe):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return prepare_view(files, recipe)

    sequence.prepare_view = prepare_some
    prepare(todo)


@pytest.mark.parametrize("kind", RECIPES)
def test_a_killed_run_is_completed_to_the_same_bytes(release_root, prepared, tmp_path, kind):
    out, recipe = tmp_path / "out", RECIPES[kind]
    for views in (11, 3):  # the second run dies inside the sequence that the first left
        child = multiprocessing.get_context("fork").Process(
            target=killed_after, args=(release_root, out, recipe, views)
        )
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        assert not is_prepared(out)
        assert any(".part" in path.name for path in out.rglob("*"))
        assert len(list((out / "records").rglob("*.json"))) == 1
    todo = run(release_root, out, recipe)
    assert (todo.kept, todo.stale, len(todo.todo)) == (1, 0, 4)
    assert content(out) == prepared[kind]
    assert run(release_root, out, recipe).views == 0
    assert content(out) == prepared[kind]


@pytest.mark.parametrize("kind", RECIPES)
def test_a_full_disk_is_named_and_what_is_complete_is_kept(
    release_root, prepared, tmp_path, monkeypatch, kind
):
    out, recipe, left = tmp_path / "out", RECIPES[kind], [20]

    def encode(files, recipe):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return prepare_view(files, recipe)

    monkeypatch.setattr(sequence, "prepare_view", encode)
    with pytest.raises(
        PrepareError, match=r"(?s)the disk is full. 2 of 5 sequences are complete and kept.*--size"
    ):
        run(release_root, out, recipe)
    assert not any(".part" in path.name for path in out.rglob("*"))
    monkeypatch.undo()
    assert run(release_root, out, recipe).kept == 2
    assert content(out) == prepared[kind]


def test_a_folder_that_cannot_be_written_is_named(release_root, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PrepareError, match=r"file: cannot be written .*0 of 5 sequences"):
        run(release_root, tmp_path / "file")

    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "out")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PrepareError, match=r"cannot be written \(Read-only file system"):
        run(release_root, tmp_path / "out")


def test_other_errors_of_the_disk_pass_unchanged(release_root, tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(build, "prepare_sequence", fail)
    with pytest.raises(OSError, match="Input/output error"):
        run(release_root, tmp_path / "out")
