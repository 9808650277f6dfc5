"""Preparing a dataset: the same bytes however often it is interrupted, and nothing written half."""

import io
import json
import shutil
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from behave_tree import TRAIN
from preparing import content, read_raw, run

from rhobin.data.prepare.build import plan
from rhobin.data.prepare.check_stored import check_prepared
from rhobin.data.prepare.estimate import Estimate, estimate
from rhobin.data.prepare.prepared import read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.sequence import list_sequences


def test_a_prepared_root_holds_every_view_once(release_root, prepared):
    views = sum(len(release.views.frame) for release in read_raw(release_root))
    files = [name for name in prepared["folders"] if name.startswith("views/")]
    assert len(files) == 2 * views
    assert sum(name.endswith(".tar") for name in prepared["shards"]) == 5
    assert not any(".part" in name for kind in prepared.values() for name in kind)


def test_two_processes_write_the_same_bytes(release_root, prepared, tmp_path):
    run(release_root, tmp_path / "out", workers=2)
    assert content(tmp_path / "out") == prepared["folders"]


def test_only_what_changed_is_prepared_again(own_root, tmp_path):
    out = tmp_path / "out"
    run(own_root, out)
    image = own_root / "sequences" / TRAIN[1] / "t0003.000/k2.color.jpg"
    cv2.imwrite(str(image), cv2.imread(str(image)), [cv2.IMWRITE_JPEG_QUALITY, 50])
    stale = check_prepared(read_prepared_splits(out), read_raw(own_root))
    assert len(stale.problems) == 1
    assert f"has changed since {out} was prepared: {TRAIN[1]} (1 in all)" in stale.problems[0]
    todo = run(own_root, out)
    assert (todo.stale, [s.name for s in todo.todo]) == (1, [TRAIN[1]])
    assert not check_prepared(read_prepared_splits(out), read_raw(own_root)).problems
    run(own_root, tmp_path / "fresh")
    assert content(out) == content(tmp_path / "fresh")


def test_changed_parameters_only_need_a_new_index(own_root, tmp_path):
    out = tmp_path / "out"
    run(own_root, out)
    fits = [
        own_root / "sequences" / TRAIN[0] / frame / "person/fit02/person_fit.pkl"
        for frame in ("t0003.000", "t0004.000")
    ]
    shutil.copy(*fits)
    stale = check_prepared(read_prepared_splits(out), read_raw(own_root))
    assert "the train split's parameters, calibration or templates" in stale.problems[0]
    assert run(own_root, out).views == 0
    train, _ = read_prepared_splits(out)
    assert np.array_equal(train.frames.pose[0], train.frames.pose[1])
    assert train.data_hash == read_raw(own_root)[0].data_hash


def test_other_options_and_lost_sequences_leave_nothing_behind(own_root, tmp_path):
    out = tmp_path / "out"
    run(own_root, out)
    split = json.loads((own_root / "split.json").read_text())
    split["train"].remove(TRAIN[2])
    (own_root / "split.json").write_text(json.dumps(split))
    todo = run(own_root, out, Recipe(shards=True, size=64))
    assert (todo.kept, todo.stale) == (0, 4)
    run(own_root, tmp_path / "fresh", Recipe(shards=True, size=64))
    assert content(out) == content(tmp_path / "fresh")


def test_names_of_any_script(release_root, prepared, tmp_path):
    root = tmp_path / "Größe 数据 дом" / "root"
    shutil.copytree(release_root, root)
    out = tmp_path / "наши \N{SNOWMAN} crops"
    run(root, out)
    made = content(out)
    made.pop("manifest.json"), (expected := dict(prepared["folders"])).pop("manifest.json")
    assert made == expected
    assert not check_prepared(read_prepared_splits(out)).problems


def test_the_estimate_is_what_is_written(release_root, prepared, tmp_path):
    todo = plan(read_raw(release_root), tmp_path / "out", Recipe())
    written = sum(len(data) for name, data in prepared["folders"].items() if name.startswith("views/"))
    assert estimate(todo).bytes == pytest.approx(written, rel=0.2)
    assert estimate(todo, samples=1000) == Estimate(written, 34, Counter())
    assert estimate(replace(todo, todo=[])) == Estimate(0, 0, Counter())
    assert not (tmp_path / "out").exists()


def test_sequences_are_runs_of_views(release_root):
    train, _ = read_raw(release_root)
    found = list_sequences(train)
    assert [s.name for s in found] == list(TRAIN)
    assert [row for s in found for row in s.views] == list(range(32))
    assert found[0].stems[:5] == [*(f"t0003_000_k{k}" for k in range(4)), "t0004_000_k0"]


def test_shards_are_tars_of_webdataset_samples(prepared):
    for name, data in prepared["shards"].items():
        if name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                members = tar.getnames()
                for member in members:
                    expected = prepared["folders"][
                        f"views/{Path(name).parent.name}/{Path(name).stem}/{member}"
                    ]
                    assert tar.extractfile(member).read() == expected
            keys = [member.split(".")[0] for member in members]
            assert [m.split(".")[1] for m in members] == ["jpg", "bits"] * (len(members) // 2)
            assert keys[::2] == keys[1::2]
            assert len(set(keys)) == len(keys) // 2
