"""Preparing a dataset whose masks are exchanged, or of another image."""

from dataclasses import replace

import numpy as np
import pytest
from behave_tree import TRAIN
from commands_of_prepare import cli

from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.images.source import read_source
from rhobin.data.prepare import judge
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.check import check_raw
from rhobin.data.prepare.check_stored import check_prepared
from rhobin.data.prepare.estimate import estimate
from rhobin.data.prepare.judge import count_unjudged, wrong_masks
from rhobin.data.prepare.prepared import read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.splits import available_splits


def read_raw(root):
    return list(available_splits(root).releases.values())


def exchange(root, sequence, frame, kinect):
    """Give the person's mask to the object and the object's to the person."""
    folder = root / "sequences" / sequence / frame
    person, obj = (folder / f"k{kinect}.{name}.jpg" for name in ("person_mask", "obj_rend_mask"))
    content = person.read_bytes()
    person.write_bytes(obj.read_bytes())
    obj.write_bytes(content)
    return obj.relative_to(root).as_posix()


@pytest.fixture
def exchanged(own_root):
    """A root with three exchanged views, and the files that are named for them."""
    views = [(TRAIN[0], "t0003.000", 1), (TRAIN[0], "t0004.000", 3), (TRAIN[2], "t0003.000", 2)]
    return own_root, sorted(exchange(own_root, *view) for view in views)


def outlines(release):
    pictures = [read_source(release.view_files(view)) for view in range(len(release.views.frame))]
    return np.stack([p.boxes for p in pictures]), np.array([p.size for p in pictures])


def test_sound_masks_pass_and_exchanged_ones_do_not(release_root):
    for release in read_raw(release_root):
        rows, (boxes, sizes) = np.arange(len(release.views.frame)), outlines(release)
        assert wrong_masks(release, rows, boxes, sizes).tolist() == []
        assert wrong_masks(release, rows, boxes[:, ::-1], sizes).tolist() == rows.tolist()
        assert (
            wrong_masks(release, rows[1::3], boxes[1::3, ::-1], sizes[1::3]).tolist() == rows[1::3].tolist()
        )
        elsewhere = boxes.copy()
        elsewhere[1] = [[1, 1, 5, 6], [150, 2, 8, 5]]
        assert wrong_masks(release, rows, elsewhere, sizes).tolist() == [1]


def test_images_may_have_been_resized(release_root):
    release = read_raw(release_root)[0]
    rows, (boxes, sizes) = np.arange(len(release.views.frame)), outlines(release)
    assert wrong_masks(release, rows, boxes * 4, sizes * 4).tolist() == []


def test_the_verdict_does_not_need_the_right_body(release_root, monkeypatch):
    """Joints may be a decimetre off, as those of the stand-in are from SMPL-H's."""
    release, rng = read_raw(release_root)[0], np.random.default_rng(0)
    rows, (boxes, sizes) = np.arange(len(release.views.frame)), outlines(release)
    build = judge.build_targets

    def blurred(*arguments):
        targets = build(*arguments)
        noise = rng.normal(0, 0.1, targets.joints.shape) + rng.normal(0, 0.1, (len(rows), 1, 3))
        return replace(targets, joints=targets.joints + noise)

    monkeypatch.setattr(judge, "build_targets", blurred)
    assert wrong_masks(release, rows, boxes, sizes).tolist() == []
    assert len(wrong_masks(release, rows, boxes[:, ::-1], sizes)) >= 0.9 * len(rows)


def test_views_without_a_body_are_counted_not_judged(release_root):
    release = read_raw(release_root)[0]
    has_body = np.arange(len(release.frames.name)) % 2 == 0
    half = replace(release, frames=replace(release.frames, has_body=has_body))
    rows, (boxes, sizes) = np.arange(len(release.views.frame)), outlines(release)
    found = wrong_masks(half, rows, boxes[:, ::-1], sizes)
    assert found.tolist() == np.flatnonzero(has_body[release.views.frame]).tolist()
    assert (count_unjudged(half), count_unjudged(release)) == (len(rows) - len(found), 0)
    none = replace(release, frames=replace(release.frames, has_body=np.zeros_like(has_body)))
    assert len(wrong_masks(none, rows, boxes[:, ::-1], sizes)) == 0


def test_checking_a_raw_root_names_exchanged_masks(exchanged):
    root, files = exchanged
    verdict = check_raw(read_raw(root))
    assert verdict.manifest["skipped"] == {"wrong_masks": {"files": 3, "views": 3}}
    assert sorted(skip["file"] for skip in verdict.manifest["skips"]) == files
    assert len(verdict.problems) == 1
    assert "masks are exchanged, or nowhere near what was fitted: 3 files" in verdict.problems[0]


def test_preparing_leaves_exchanged_masks_out_as_samples_do(exchanged, tmp_path):
    root, files = exchanged
    out = tmp_path / "out"
    prepare(plan(read_raw(root), out, Recipe()))
    train, _ = read_prepared_splits(out)
    assert sorted(np.array(train.views.files)[train.stored["reason"] == b"wrong_masks", 2].tolist()) == files
    verdict = check_prepared(read_prepared_splits(out), read_raw(root))
    assert not verdict.problems
    assert verdict.manifest["skipped"] == {"wrong_masks": {"files": 3, "views": 3}}
    made = []
    for folder in (root, out):
        datamodule = BehaveDataModule(
            folder,
            view={"input_size": 64, "on_bad_sample": "skip"},
            batch_size=4,
            validation={"fraction": 0},
            workers=0,
        )
        datamodule.setup()
        keys = [batch.keys for batch in datamodule.train_dataloader()]
        made.append((keys, datamodule.manifest()["skips"]))
    assert made[0] == made[1]
    assert sorted(skip["file"] for skip in made[0][1]) == files


def test_other_parameters_give_other_verdicts_without_storing_views_again(release_root, tmp_path):
    """Verdicts belong to the index: what is stored beside it depends on the images alone."""
    out, away = tmp_path / "out", np.array([0, 0, -50.0])
    train, test = read_raw(release_root)
    moved = {"trans": train.frames.trans + away, "obj_trans": train.frames.obj_trans + away}
    wrong = replace(train, frames=replace(train.frames, **moved))
    for release, unusable in ((wrong, 32), (train, 0)):
        prepare(todo := plan([release, test], out, Recipe()))
        reasons = read_prepared_splits(out)[0].stored["reason"].tolist()
        assert reasons.count(b"wrong_masks") == unusable
    assert todo.views == 0
    prepare(plan([train, test], tmp_path / "fresh", Recipe()))
    for made in (out, tmp_path / "fresh"):
        assert not check_prepared(read_prepared_splits(made)).problems


def test_a_dry_run_says_what_it_meets(exchanged, tmp_path, capsys):
    root, _ = exchanged
    color = root / "sequences" / TRAIN[2] / "t0003.000/k0.color.jpg"
    color.write_bytes(color.read_bytes()[:-300])
    found = estimate(plan(read_raw(root), tmp_path / "out", Recipe()), samples=34)
    assert found.unusable == {"wrong_masks": 3, "unreadable_image": 1}
    for frame in ("t0003.000", "t0004.000"):
        for kinect in range(4):
            exchange(root, TRAIN[1], frame, kinect)
    assert cli(root, tmp_path / "out", "--dry-run") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of 24 views that were tried: masks are exchanged" in said
    assert "pixels across the longer side of the box, at most" in said


def test_the_command_says_which_views_it_could_not_judge(release_root, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(judge, "count_unjudged", lambda release: len(release.views.frame))
    assert cli(release_root, "--check", "--workers", 1) == 0
    assert "34 views have no fitted body" in capsys.readouterr().out
