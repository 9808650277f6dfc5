"""Preparing and training from a damaged tree: interrupted, without room, with files that changed."""

import errno
import multiprocessing
import os
import signal
import warnings
from pathlib import Path

import pytest
from damage_kinds import BOX, COLOR, FRAME, cut, swap
from damaged import datasets, show

from rhobin.__main__ import main
from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare import sequence as preparing
from rhobin.data.prepare.build import PrepareError, plan, prepare
from rhobin.data.prepare.prepared import is_prepared, read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.view import prepare_view
from rhobin.data.splits import available_splits


def prepared(root, out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare(plan(list(available_splits(root).releases.values()), out, Recipe()))
    return out


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def failing(views, error):
    """Stands in for preparing a view, and fails after some."""
    left = [views]

    def prepare_some(files, recipe):
        left[0] -= 1
        if left[0] < 0:
            error()
        return prepare_view(files, recipe)

    return prepare_some


def full_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def run_until(root, out, views, error):
    preparing.prepare_view = failing(views, error)
    prepared(root, out)


def test_a_full_disk_while_preparing(tree, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(preparing, "prepare_view", failing(11, full_disk))
    with pytest.raises(PrepareError, match=r"the disk is full. 1 of 3 sequences are complete and kept"):
        prepared(tree, out)
    assert not is_prepared(out)
    assert not [path for path in out.rglob("*") if ".part" in path.name]
    monkeypatch.undo()
    assert content(prepared(tree, out)) == content(prepared(tree, tmp_path / "at_once"))


def test_preparing_that_was_killed_goes_on(tree, tmp_path):
    out = tmp_path / "out"
    child = multiprocessing.get_context("fork").Process(target=run_until, args=(tree, out, 11, killed))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not is_prepared(out)
    assert content(prepared(tree, out)) == content(prepared(tree, tmp_path / "at_once"))


def test_a_cache_that_cannot_be_written(tree, tmp_path, monkeypatch, capsys):
    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "out")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert main(["prepare", str(tree), str(tmp_path / "out"), "--workers", "1"]) == 1
    assert "cannot be written (Read-only file system" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_damage_is_prepared_around_and_the_same_is_skipped(tree, tmp_path):
    cut(tree / COLOR)
    swap(tree / f"{FRAME}/k0.person_mask.jpg", "k0.obj_rend_mask.jpg")
    found = {}
    for name, root in (("raw", tree), ("prepared", prepared(tree, tmp_path / "out"))):
        dataset = datasets(available_splits(root).releases["train"])[0]
        show(dataset)
        found[name] = [skip.reason for skip in dataset.skips()]
        assert [BOX in skip.file for skip in dataset.skips()] == [True, True], dataset.skips()
    assert found["raw"] == found["prepared"] == ["wrong_masks", "unreadable_image"]


@pytest.mark.parametrize(("pattern", "share"), [("*.jpg", 0.5), ("*.bits", 0.9), ("*.jpg", 0.0)])
def test_prepared_files_that_changed_since(tree, tmp_path, pattern, share):
    out = prepared(tree, tmp_path / "out")
    train, _ = read_prepared_splits(out)
    for path in out.rglob(pattern):
        cut(path, share)
    patient, strict = datasets(train)
    with pytest.raises(BadSampleError, match=r"does not have the \d+ bytes that the index says"):
        show(strict)
    with pytest.raises(ValueError, match="none of the 16 views can be used"):
        show(patient)


@pytest.mark.parametrize("file", ["prepared.json", "index/train/stored.npy", "templates.npz"])
def test_a_prepared_index_that_is_broken(tree, tmp_path, file):
    out = prepared(tree, tmp_path / "out")
    cut(out / file, 0.3)
    with pytest.raises(ValueError, match=rf"(?s){file.rsplit('/')[-1]}.*"):
        available_splits(out)
