"""Frames of a person or an object alone: samples like any other, unless the method needs the rest."""

import json
import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from behave_tree import TEST
from data_samples import differing, merged, sample_config, tensors, truth_of
from part_tree import BOTH, NO_OBJECT, NOBODY, without_object, without_person

from rhobin.behave.read import read_release
from rhobin.behave.skips import REASONS
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.crops import crop_square
from rhobin.data.images.source import read_source
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.check import check_raw
from rhobin.data.prepare.check_stored import check_prepared
from rhobin.data.prepare.judge import count_unjudged
from rhobin.data.prepare.prepared import read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.selection import select_views
from rhobin.data.splits import available_splits
from rhobin.types import GENDERS

OPTIONS = {"view": {"input_size": 64}, "batch_size": 4, "validation": {"fraction": 0}, "workers": 0}
ANYTHING = {"parts": [], "targets": ["heatmaps", "maps", "bev"]}
EVERY_CHANGE = {
    "shift": 0.2,
    "truncate_p": 0.5,
    "background_p": 0.7,
    "occluder": {"p": 0.9},
    "colour_set": "g2dr",
}


@pytest.fixture(scope="module")
def root(release_root, tmp_path_factory):
    """Eight views each of an object alone and of a person alone, sixteen of both."""
    root = tmp_path_factory.mktemp("parts") / "tree"
    shutil.copytree(release_root, root)
    without_object(root, NO_OBJECT)
    without_person(root, NOBODY)
    return root


def ready(root, **options):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, options))
    datamodule.setup()
    return datamodule


def of(dataset, sequence):
    """Indices of a sequence's views."""
    return [index for index in range(len(dataset)) if dataset.key(index).sequence == sequence]


def test_the_reader_says_what_is_not_there(root, release_root):
    release, whole = read_release(root, "train"), read_release(release_root, "train")
    assert release.skips == []
    frames = release.frames
    name = np.array(release.sequences)[frames.sequence]
    assert (frames.has_body == (name != NOBODY)).all()
    assert (frames.has_object == (name != NO_OBJECT)).all()
    assert set(frames.object_id[name == NO_OBJECT]) == {-1}
    assert {GENDERS[g] for g in frames.gender[name == NOBODY]} == {"neutral"}
    assert (
        release.views.shown == np.stack([frames.has_body, frames.has_object], 1)[release.views.frame]
    ).all()
    for view, frame in enumerate(release.views.frame):
        there = [file is not None for file in release.view_files(view)[1:]]
        assert there == [name[frame] != NOBODY, name[frame] != NO_OBJECT]
    assert release.data_hash != whole.data_hash


def test_what_is_there_has_the_ground_truth_of_the_whole_scene(root, release_root):
    truth, whole = truth_of(read_release(root, "train")), truth_of(read_release(release_root, "train"))
    person, obj = truth.has_human[truth.frame], truth.has_object[truth.frame]
    for name in ("root_R", "trans", "joints"):
        assert np.array_equal(getattr(truth, name)[person], getattr(whole, name)[person])
    for name in ("obj_R", "obj_t", "kpts"):
        assert np.array_equal(getattr(truth, name)[obj], getattr(whole, name)[obj])
    assert all(np.isfinite(value).all() for value in vars(truth).values() if isinstance(value, np.ndarray))


def test_a_sample_of_one_part_is_a_sample(root, release_root):
    some, whole = (ready(path, reads=ANYTHING).train_dataset for path in (root, release_root))
    assert len(some) == len(whole) == 32
    for index in of(some, NOBODY):
        sample, other = some[index], whole[index]
        assert sample.target.human is sample.target.bev is sample.target.heatmaps.joints_uvd is None
        assert not differing(sample.target.object, other.target.object)
        assert GENDERS[sample.gender] == "neutral"
        assert sample.object_id == other.object_id
        assert not sample.image[3].any()
        assert sample.image[4].any()
        kpts, uvd = sample.target.object.kpts, sample.target.heatmaps.kpts_uvd
        assert torch.allclose(uvd[:, 2], (kpts[:, 2] - sample.target.object.t[2]) / 4.4, atol=1e-6)
        assert sample.target.maps.amodal.any()
    for index in of(some, NO_OBJECT):
        sample, other = some[index], whole[index]
        assert sample.target.object is sample.target.maps is sample.target.heatmaps.kpts_uvd is None
        assert not differing(sample.target.human, other.target.human)
        assert (sample.gender, sample.object_id) == (other.gender, -1)
        assert sample.image[3].any()
        assert not sample.image[4].any()
        assert sample.target.bev is not None
    for index in of(some, BOTH):
        assert not differing(some[index], whole[index])


@pytest.mark.parametrize(("sequence", "part"), [(NOBODY, 1), (NO_OBJECT, 0)])
def test_the_crop_falls_back_to_what_is_there(root, sequence, part):
    dataset = ready(root, reads=ANYTHING).train_dataset
    for index in of(dataset, sequence):
        source = read_source(dataset.release.view_files(int(dataset.views[index])))
        only = np.stack([source.boxes[part]] * 2)
        centre, side = crop_square(only, "union", None, source.size)
        view = dataset.view(index)
        assert np.array_equal(view.centre, centre)
        assert view.side == side


def test_batches_say_who_is_present(root):
    dataset = ready(root, reads=ANYTHING).train_dataset
    chosen = [of(dataset, NOBODY)[0], of(dataset, BOTH)[0], of(dataset, NO_OBJECT)[0]]
    batch = collate([dataset[index] for index in chosen])
    assert batch.target.human.present.tolist() == [0, 1, 1]
    assert batch.target.object.present.tolist() == [1, 1, 0]
    assert all(torch.isfinite(value.float()).all() for value in tensors(batch.target).values())
    assert torch.equal(batch.target.human.theta[0], dataset[chosen[1]].target.human.theta)
    alone = collate([dataset[index] for index in of(dataset, NOBODY)])
    assert alone.target.human is None
    assert alone.target.object.present.all()


def test_everything_that_augments_works_on_one_part(root):
    options = {"reads": ANYTHING, "augment": EVERY_CHANGE}
    here, there = (
        list(ready(root, workers=workers, cache={"kind": kind}, **options).train_dataloader())
        for workers, kind in ((0, "none"), (2, "ram"))
    )
    assert len(here) == 8
    for a, b in zip(here, there, strict=True):
        assert a.keys == b.keys
        assert not differing(a, b)


@pytest.mark.parametrize(
    ("reads", "lost"),
    [
        ({"parts": ["human", "object"]}, {"no_human": 8, "no_object": 8}),
        ({"parts": ["object"], "planes": ["color", "object"], "crop": "object"}, {"no_object": 8}),
        ({"parts": ["human"], "planes": ["color", "person"], "crop": "person"}, {"no_human": 8}),
        ({"parts": [], "crop": "person"}, {"no_human": 8}),
        ({"parts": [], "further": {"near": {"crop": "object"}}}, {"no_object": 8}),
        ({"parts": [], "crop": "frame"}, {}),
    ],
)
def test_views_without_what_is_read_are_left_out_and_counted(root, reads, lost, caplog):
    with caplog.at_level(logging.INFO, "rhobin"):
        datamodule = ready(root, reads=reads)
    dataset = datamodule.train_dataset
    assert len(dataset) == 32 - sum(lost.values())
    skipped = datamodule.manifest()["skipped"]
    assert {reason: count["views"] for reason, count in skipped.items()} == lost
    for reason, count in lost.items():
        assert f"left out: {count} views: {REASONS[reason]}" in caplog.messages
    planes = 2 + len(reads.get("planes", ("color", "person", "object")))
    batch = next(iter(datamodule.train_dataloader()))
    assert batch.image.shape == (4, planes, 64, 64)
    if reads["parts"]:
        sample = dataset[0]
        assert ("human" in reads["parts"]) <= (sample.target.human is not None)
        assert ("object" in reads["parts"]) <= (sample.target.object is not None)


def test_when_nothing_is_left_the_error_says_what_to_do(root, tmp_path):
    only = tmp_path / "tree"
    shutil.copytree(root, only)
    split = json.loads((only / "split.json").read_text())
    (only / "split.json").write_text(json.dumps({**split, "train": [NO_OBJECT]}))
    datamodule = ready(only, reads={"parts": ["object"], "crop": "object"})
    assert len(datamodule.test_dataset) == 2
    with pytest.raises(
        ValueError,
        match=r"no train view can be used: of 8 views, 8 have no object that is known. The method reads "
        r"object \(model.reads.parts\) with model.reads.crop=object; set data.root",
    ):
        datamodule.train_dataloader()
    without_object(only, TEST[0])
    with pytest.raises(ValueError, match="no train view can be used"):
        ready(only, reads={"parts": ["object"], "crop": "object"})


def test_test_views_need_no_ground_truth(root):
    """What a hidden test set has: masks, and the object's name."""
    release = read_release(root, "test", (1,))
    nothing = np.zeros_like(release.frames.has_body)
    hidden = replace(release, frames=replace(release.frames, has_body=nothing, has_object=nothing))
    truth, config = truth_of(hidden), sample_config()
    rows, skips = select_views(hidden, truth, config, "all")
    assert (rows.tolist(), skips) == ([0, 1], [])
    sample = BehaveDataset(hidden, truth, rows, config, partly=True)[1]
    assert sample.target.human is sample.target.object is sample.target.heatmaps is None
    assert sample.object_id >= 0
    with pytest.raises(ValueError, match="no train view can be used"):
        select_views(replace(hidden, split="train"), truth, config, "all")


def test_a_prepared_root_serves_the_same(root, tmp_path):
    releases, out = list(available_splits(root).releases.values()), tmp_path / "out"
    assert check_raw(releases).problems == []
    assert [count_unjudged(release) for release in releases] == [0, 0]
    prepare(plan(releases, out, Recipe()))
    stored = read_prepared_splits(out)
    assert check_prepared(stored, releases).problems == []
    assert [release.hidden for release in stored] == [0, 0]
    raw, kept = (ready(path, reads=ANYTHING, augment={}) for path in (root, out))
    assert raw.data_hash == kept.data_hash
    for a, b in zip(raw.train_dataloader(), kept.train_dataloader(), strict=True):
        assert a.keys == b.keys
        assert torch.equal(a.image[:, 3:], b.image[:, 3:])
        assert (a.image.float() - b.image.float()).abs().mean() < 4
        assert not differing(a.target, b.target)


def test_a_sequence_of_nothing_and_other_layouts_are_told_apart(root, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(root, tree)
    info = tree / "sequences" / NOBODY / "info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "cat": None}))
    (skip,) = read_release(tree, "train").skips
    assert (skip.reason, skip.views) == ("bad_sequence", 8)
    assert "neither a person nor an object" in skip.detail
