"""A root with two of the twenty templates: ids, keypoints, maps and poses are those of the names."""

import shutil

import numpy as np
import pytest
import torch
from behave_tree import make_tree
from data_samples import merged, truth_of

from rhobin.behave.read import read_release
from rhobin.data.datamodule import BehaveDataModule
from rhobin.geometry.camera import project
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.load import load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.nocs import from_nocs

HAS = ("basketball", "boxlarge")
TRAIN = ("Date01_Sub01_basketball", "Date01_Sub01_boxlarge_lift", "Date02_Sub02_basketball")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("subset") / "tree", 2, TRAIN, ("Date03_Sub04_boxlarge_hold",))
    for name in set(OBJECT_NAMES) - set(HAS):
        shutil.rmtree(root / "objects" / name)
    return root


def ready(root, **options):
    options = {"view": {"input_size": 64}, "validation": {"fraction": 0}, "batch_size": 4, **options}
    datamodule = BehaveDataModule(root, **merged({}, options), workers=0)
    datamodule.setup()
    return datamodule


def samples(datamodule):
    for dataset in (datamodule.train_dataset, datamodule.test_dataset):
        for index in range(len(dataset)):
            sample = dataset[index]
            yield sample, sample.key.sequence.split("_")[2]


def test_an_id_is_the_place_among_all_twenty_names(root):
    datamodule = ready(root)
    assert set(datamodule.assets.templates) == {OBJECT_NAMES.index(name) for name in HAS}
    shown = {name: sample.object_id for sample, name in samples(datamodule)}
    assert shown == {name: OBJECT_NAMES.index(name) for name in HAS}
    kpts = datamodule.assets.keypoints()
    assert torch.isfinite(kpts).all(dim=(1, 2)).nonzero()[:, 0].tolist() == sorted(shown.values())


@pytest.mark.parametrize("canonical", [False, True])
def test_every_sample_has_the_keypoints_and_maps_of_its_own_template(root, canonical):
    """Against the meshes of the catalogue by name, which no id leads to."""
    targets = {"heatmaps": {"depth_range": 4.4}, "canonical_symmetry": canonical, "maps": {"regions": 16}}
    templates = load_templates(root / "objects")
    for sample, name in samples(ready(root, reads={"targets": ["maps"]}, targets=targets)):
        template, pose, maps = templates[name], sample.target.object, sample.target.maps
        R, t = pose.R.double().numpy(), pose.t.double().numpy()
        assert np.abs(template.kpts @ R.T + t - pose.kpts.numpy()).max() < 1e-5
        low, high = template.verts.min(axis=0), template.verts.max(axis=0)
        assert np.allclose(maps.box.numpy(), np.stack([(low + high) / 2, high - low]), atol=1e-6)
        rows, columns = np.nonzero(maps.amodal.numpy())
        points = from_nocs(maps.nocs.double().numpy()[:, rows, columns].T, maps.box.double().numpy())
        found = project(points @ R.T + t, sample.K_crop.double().numpy())
        assert np.abs(found - (np.stack([columns, rows], axis=1) * 4 + 1.5)).max() < 0.01
        if canonical:
            assert np.abs(canonical_pose(template, R, t)[0] - R).max() < 1e-5


def test_truth_and_baselines_count_the_same_ids(root):
    release = read_release(root, "train")
    truth = truth_of(release)
    for view, frame in enumerate(truth.frame):
        name = release.sequences[release.frames.sequence[frame]].split("_")[2]
        assert truth.assets.names[truth.object_id[frame]] == name
        assert truth.assets.templates[int(truth.object_id[frame])].name == name
        own = release.templates[name].kpts @ truth.obj_R[view].T + truth.obj_t[view]
        assert np.abs(own - truth.kpts[view]).max() < 1e-5
