"""Preparing a dataset: the same bytes however often it is interrupted, and nothing written half."""

import errno
import io
import json
import multiprocessing
import os
import shutil
import signal
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from behave_tree import TRAIN

from rhobin.behave.skips import REASONS
from rhobin.cli import prepare as command
from rhobin.data.images.crops import mask_box
from rhobin.data.prepare import build, sequence
from rhobin.data.prepare.build import Estimate, PrepareError, estimate, plan, prepare
from rhobin.data.prepare.check import INHERENT, check_prepared, check_raw
from rhobin.data.prepare.prepared import is_prepared, read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.sequence import list_sequences
from rhobin.data.prepare.templates import read_templates, write_templates
from rhobin.data.prepare.view import (
    pack_masks,
    patch_of,
    place_of,
    prepare_view,
    stored_size,
    surrounded,
    unpack_masks,
)
from rhobin.data.splits import available_splits
from rhobin.objects.catalogue import built_in
from rhobin.objects.template import make_template

RECIPES = {"folders": Recipe(), "shards": Recipe(shards=True)}


def read_raw(root):
    return list(available_splits(root).releases.values())


def run(root, out, recipe=RECIPES["folders"], workers=1):
    todo = plan(read_raw(root), out, recipe)
    prepare(todo, workers)
    return todo


def content(folder):
    """Every file of a folder, byte for byte."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="session")
def prepared(release_root, tmp_path_factory):
    """Content of both kinds of prepared root, uninterrupted, by one process."""
    made = {}
    for name, recipe in RECIPES.items():
        out = tmp_path_factory.mktemp("prepared") / "out"
        run(release_root, out, recipe)
        made[name] = content(out)
    return made


def test_a_prepared_root_holds_every_view_once(release_root, prepared):
    views = sum(len(release.views.frame) for release in read_raw(release_root))
    files = [name for name in prepared["folders"] if name.startswith("views/")]
    assert len(files) == 2 * views
    assert sum(name.endswith(".tar") for name in prepared["shards"]) == 5
    assert not any(".part" in name for kind in prepared.values() for name in kind)


def test_two_processes_write_the_same_bytes(release_root, prepared, tmp_path):
    run(release_root, tmp_path / "out", workers=2)
    assert content(tmp_path / "out") == prepared["folders"]


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


def test_masks_survive_packing():
    masks = [np.random.default_rng(seed).integers(0, 2, (13, 7), np.uint8) * np.uint8(255) for seed in (1, 2)]
    spot = np.zeros((13, 7), np.uint8)
    spot[4:6, 2] = 255
    for pair in (masks, [masks[0], spot], [spot, spot]):
        boxes = np.stack([mask_box(mask) for mask in pair]).astype(int)
        inside = [mask[y : y + h, x : x + w] for mask, (x, y, w, h) in zip(pair, boxes, strict=True)]
        parts = unpack_masks(pack_masks(inside), boxes)
        for part, expected in zip(parts, inside, strict=True):
            assert np.array_equal(part, expected)
    content = pack_masks(inside)
    for broken in (b"", content[:-3], b"x" * 30):
        with pytest.raises(ValueError, match="not packed masks"):
            unpack_masks(broken, boxes)
    with pytest.raises(ValueError, match="holds 2 bytes of masks, expected 24"):
        unpack_masks(content, np.array([[0, 0, 7, 13], [0, 0, 7, 13]]))


def test_a_stored_patch_lies_where_its_map_says():
    boxes = np.array([[40.0, 30, 20, 50], [50, 60, 60, 30]])
    assert surrounded(boxes, "person").tolist() == [40, 30, 20, 50]
    assert surrounded(boxes, "object").tolist() == [50, 60, 60, 30]
    box = surrounded(boxes, "union")
    patch = patch_of(box, 1.5, (300, 200))
    assert patch == (22, 7, 128, 113)  # 105 about (75, 60), whole pixels outwards
    assert patch_of(box, np.inf, (300, 200)) == (0, 0, 300, 200)
    assert patch_of(box, 4.0, (120, 100)) == (0, 0, 120, 100)
    stored = stored_size(patch, 0.5)
    assert stored == (53, 53)
    place = place_of(np.array(patch), np.array(stored))
    assert np.allclose(place @ [21.5, 6.5, 1], [-0.5, -0.5, 1])
    assert np.allclose(place @ [127.5, 112.5, 1], [52.5, 52.5, 1])


def test_pixels_are_as_fine_where_the_border_clips_the_patch():
    recipe, image = Recipe(margin=3.0, size=300), (1000, 800)
    for x in (0, 400, 800):
        box = np.array([x, 500.0, 200, 150])
        scale = recipe.scale(box, image)
        patch = patch_of(box, recipe.margin, image)
        width = stored_size(patch, scale)[0]
        assert scale == 0.5  # 100 pixels across the box
        assert width == pytest.approx(0.5 * (patch[2] - patch[0]), abs=0.5)
    assert recipe.scale(np.array([0, 0, 100.0, 90]), image) == 1.0
    assert Recipe(margin=np.inf, size=300).scale(box, image) == 0.3


@pytest.mark.parametrize(
    ("option", "value"), [("around", "cat"), ("margin", 0.9), ("size", 8), ("quality", 0), ("quality", 101)]
)
def test_options_out_of_range(option, value):
    with pytest.raises(ValueError, match=f"--{option} is {value!r}"):
        Recipe(**{option: value})


def test_templates_survive_as_arrays(tmp_path):
    own = built_in("tablesquare")
    scanned = make_template("tablesquare", own.verts * 1.01, own.faces, own.group, own.centre, own.colors)
    write_templates(tmp_path / "t.npz", {"tablesquare": scanned, "stool": built_in("stool")})
    read = read_templates(tmp_path / "t.npz")
    assert read["stool"] is built_in("stool")
    for name, value in vars(scanned).items():
        assert (
            np.array_equal(getattr(read["tablesquare"], name), value)
            or getattr(read["tablesquare"], name) == value
        )
    (tmp_path / "t.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match="not the templates of a prepared root"):
        read_templates(tmp_path / "t.npz")


def test_sequences_are_runs_of_views(release_root):
    train, _ = read_raw(release_root)
    found = list_sequences(train)
    assert [s.name for s in found] == list(TRAIN)
    assert [row for s in found for row in s.views] == list(range(32))
    assert found[0].stems[:5] == [*(f"t0003_000_k{k}" for k in range(4)), "t0004_000_k0"]


def cli(*arguments):
    import argparse

    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]))


def test_the_command_from_dry_run_to_green(own_root, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli(own_root, out, "--dry-run") == 0
    assert "views to prepare" in capsys.readouterr().out
    assert not out.exists()
    assert cli(own_root, out, "--workers", 1) == 0
    assert "5 sequences prepared" in capsys.readouterr().out
    for arguments in ([out], [own_root], [own_root, out]):
        assert cli(*arguments, "--check", "--workers", 1) == 0
        assert "34 views checked, ready to train from" in capsys.readouterr().out


def test_the_command_on_damage(own_root, tmp_path, capsys):
    out = tmp_path / "out"
    folder = own_root / "sequences" / TRAIN[0] / "t0003.000"
    (folder / "k1.color.jpg").write_bytes((folder / "k1.color.jpg").read_bytes()[:-300])
    cv2.imwrite(str(folder / "k3.obj_rend_mask.jpg"), np.zeros((120, 160), np.uint8))
    assert cli(own_root, "--check", "--workers", 1) == 1
    said = capsys.readouterr().out
    assert "an image is truncated or cannot be decoded: 1 files, 1 views lost" in said
    assert "no object pixel is visible" in said
    assert "1 kind of problem" in said
    assert cli(own_root, out, "--workers", 1) == 0
    said = capsys.readouterr().out
    assert "truncated" in said
    assert "no object pixel is visible" not in said  # the view can still be cut about the person
    assert "1 stored views wholly hide the person or the object" in said
    assert cli(own_root, out, "--check") == 0
    (next((out / "views/train" / TRAIN[2]).glob("*.jpg"))).write_bytes(b"\xff\xd8 short")
    (out / "index/test/stored.npy").unlink()
    assert cli(out, "--check") == 1
    assert "part of the index is missing or broken" in capsys.readouterr().err


def test_the_command_says_what_it_expected(own_root, tmp_path, capsys):
    assert cli(own_root) == 2
    assert cli(tmp_path / "none", tmp_path / "out") == 1
    assert cli(own_root, tmp_path / "none", "--check") == 1
    assert cli(own_root, tmp_path / "out", "--margin", 0.5) == 1
    said = capsys.readouterr().err
    for part in (
        "expected where to write",
        "no BEHAVE data at",
        "not a complete prepared root",
        "--margin is 0.5",
    ):
        assert part in said
    run(own_root, tmp_path / "out")
    assert cli(tmp_path / "out", tmp_path / "twice") == 1
    assert "is a prepared root already" in capsys.readouterr().err


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


def test_inherent_reasons_exist():
    assert set(REASONS) > INHERENT


def test_checking_tells_damage_from_what_the_release_lacks(own_root):
    folder = own_root / "sequences" / TRAIN[0] / "t0003.000"
    (folder / "k0.obj_rend_mask.jpg").unlink()
    verdict = check_raw(read_raw(own_root))
    assert not verdict.problems
    assert verdict.manifest["skipped"] == {"missing_object_mask": {"files": 1, "views": 1}}
    (folder / "k1.person_mask.jpg").unlink()
    verdict = check_raw(read_raw(own_root))
    assert len(verdict.problems) == 1
    assert "k1.person_mask.jpg" in verdict.problems[0]
