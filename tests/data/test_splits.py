"""What trains, validates and tests: from every layout, from roots that lack a split, by frame lists."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from behave_tree import TEST, TRAIN, make_tree
from data_samples import merged, tensors

from rhobin.behave.read import read_release
from rhobin.behave.writers.relayout import write_release
from rhobin.behave.writers.tree import write_split
from rhobin.body.load import load_bodies
from rhobin.data.datamodule import BehaveDataModule
from rhobin.objects.load import load_templates

OPTIONS = {"view": {"input_size": 32}, "batch_size": 2, "workers": 0, "validation": {"fraction": 0.0}}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("splits")
    raw = make_tree(folder / "raw", train=TRAIN[:3])
    templates = load_templates()
    releases = [read_release(raw, split, templates=templates) for split in ("train", "test")]
    for layout in ("30fps", "2023", "2024"):
        write_release(releases, folder / layout, layout, load_bodies())
    return {layout: folder / layout for layout in ("raw", "30fps", "2023", "2024")}


def ready(root, **options):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, options))
    datamodule.setup()
    return datamodule


def samples(dataset):
    return {named(dataset.key(index)): dataset[index] for index in range(len(dataset))}


def named(key):
    return key.sequence, key.frame, key.camera


@pytest.mark.parametrize("layout", ["30fps", "2023", "2024"])
def test_every_layout_gives_the_samples_of_the_raw_release(roots, layout):
    raw, other = ready(roots["raw"]), ready(roots[layout])
    for mine, theirs in (
        (other.train_dataset, raw.train_dataset),
        (other.test_dataset, raw.test_dataset),
    ):
        found, expected = samples(mine), samples(theirs)
        assert set(found) == set(expected)
        for name, sample in found.items():
            same = expected[name]
            assert torch.equal(sample.image[3:], same.image[3:]), name
            difference = (sample.image[:3].float() - same.image[:3].float()).abs().mean()
            assert difference < (30 if layout == "30fps" else 1e-6)  # colour of videos is compressed
            assert torch.allclose(sample.K_crop, same.K_crop, atol=1e-4)
            expected_target = tensors(same.target)
            for field, value in tensors(sample.target).items():
                assert torch.allclose(value, expected_target[field], atol=1e-4), field


def without(root, out, split):
    """A copy of a raw root of which one split's sequences are not on disk."""
    shutil.copytree(root, out)
    for name in json.loads((root / "split.json").read_text())[split]:
        shutil.rmtree(out / "sequences" / name)
    return out


def test_a_root_with_training_data_only_trains(roots, tmp_path, caplog):
    datamodule = ready(without(roots["raw"], tmp_path / "tree", "test"), validation={"fraction": 0.3})
    assert len(next(iter(datamodule.train_dataloader())).image) == 2
    assert datamodule.val_dataset is not None
    assert "no test data" in caplog.text
    with pytest.raises(
        ValueError, match=r"the test split is needed here, and only train could be read: .*no usable frame"
    ):
        datamodule.test_dataloader()
    assert list(datamodule.manifest()["splits"]) == ["train"]


def test_a_root_with_test_data_only_tests(roots, tmp_path):
    datamodule = ready(without(roots["raw"], tmp_path / "tree", "train"))
    assert len(datamodule.test_dataset) == 2
    assert datamodule.val_dataloader() == []
    with pytest.raises(ValueError, match=r"the train split is needed here, and only test could be read"):
        datamodule.train_dataloader()


def test_a_root_with_nothing_says_so(tmp_path):
    make_tree(tmp_path / "tree", frames=0)
    with pytest.raises(ValueError, match="no usable frame in the train split"):
        ready(tmp_path / "tree")


def test_the_validation_split_of_a_release_is_used_when_asked_for(roots, tmp_path):
    root = tmp_path / "tree"
    shutil.copytree(roots["2024"], root)
    shutil.copytree(root / "test", root / "val")
    datamodule = ready(root, validation={"by": "release", "fraction": 0.1})
    assert len(datamodule.train_dataset) == 24
    assert len(datamodule.val_dataset) == 2
    keys = [datamodule.val_dataset.key(i) for i in range(2)]
    assert {(key.sequence, key.camera) for key in keys} == {(TEST[0], 1)}  # as the test, kinect 1
    with pytest.raises(ValueError, match="the val split is needed here, and only train, test could be read"):
        ready(roots["2024"], validation={"by": "release", "fraction": 0.1})


@pytest.mark.parametrize("layout", ["raw", "30fps"])
def test_a_root_may_list_validation_sequences_of_its_own(roots, tmp_path, layout):
    root = tmp_path / "tree"
    shutil.copytree(roots[layout], root)
    write_split(root, TRAIN[:2], TEST, val=TRAIN[2:3])
    own = ready(root, validation={"by": "release", "fraction": 0.1})
    assert {own.train_dataset.key(i).sequence for i in range(len(own.train_dataset))} == set(TRAIN[:2])
    keys = [own.val_dataset.key(i) for i in range(len(own.val_dataset))]
    assert {(key.sequence, key.camera) for key in keys} == {(TRAIN[2], 1)}  # as the test, kinect 1
    carved = ready(root, validation={"by": "group", "fraction": 0.5})
    seen = {carved.val_dataset.key(i).sequence for i in range(len(carved.val_dataset))}
    assert seen < set(TRAIN[:2])


def test_chores_frame_list_leaves_views_out_by_name(roots, tmp_path):
    root = tmp_path / "tree"
    shutil.copytree(roots["raw"], root)
    frame = root / "sequences" / TRAIN[0] / "t0004.000"
    frame.rename(frame.with_name("t0004.500"))
    config = root / "calibs/Date02/config/2/config.json"
    placed = json.loads(config.read_text())
    away = np.reshape(placed["rotation"], (3, 3)) @ [0, 0, -2.5]  # a step back along its own axis
    config.write_text(json.dumps({**placed, "translation": (placed["translation"] + away).tolist()}))
    listed = ready(root, frame_list="chore")
    assert len(listed.train_dataset) == 24 - 4 - 2
    assert Counter(skip.reason for skip in listed.skips) == {"not_in_frame_list": 6}
    assert {skip.file.split("/")[2] for skip in listed.skips if TRAIN[0] in skip.file} == {"t0004.500"}
    assert {skip.file.split("/")[3] for skip in listed.skips if TRAIN[2] in skip.file} == {"k2.color.jpg"}
    assert listed.manifest()["skipped"]["not_in_frame_list"] == {"files": 6, "views": 6}
    with pytest.raises(ValueError, match=r"data.frame_list is 'phosa'; expected one of all, chore"):
        BehaveDataModule(roots["raw"], frame_list="phosa")


def test_a_root_of_two_layouts_wants_data_layout(roots, tmp_path):
    root = tmp_path / "tree"
    shutil.copytree(roots["raw"], root)
    shutil.copytree(roots["2024"], root, dirs_exist_ok=True)
    with pytest.raises(ValueError, match=r"can be read as raw or 2024; say which with data.layout=raw"):
        ready(root)
    assert ready(root, layout="2024").train_dataset.release.layout == "2024"
