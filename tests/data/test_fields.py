"""Points with distances to person and object: against finely sampled meshes, and where they are drawn."""

import numpy as np
import pytest
import torch
from data_samples import sample_config, tensors, truth_of
from scipy.spatial import cKDTree

from rhobin.behave.read import read_release
from rhobin.body.surface_points import PARTS
from rhobin.data.dataset import BehaveDataset
from rhobin.data.reads import Reads
from rhobin.data.targets.fields import FieldConfig
from rhobin.geometry.mesh import sample_surface


@pytest.fixture(scope="module")
def dataset(release_root):
    release = read_release(release_root, "train")
    config = sample_config(64, reads={"targets": ["fields"]})
    return BehaveDataset(release, truth_of(release), np.arange(8), config, seed=3)


def dense(verts, faces):
    return cKDTree(sample_surface(verts, faces, 200_000, np.random.default_rng(0)))


def test_distances_are_those_to_the_meshes(dataset):
    sample = dataset[2]
    fields, human, obj = sample.target.fields, sample.target.human, sample.target.object
    assets = dataset.targets.assets
    pose = (human.theta[None], human.beta[None], human.trans[None], torch.tensor([sample.gender]))
    verts = assets.bodies(*pose).verts[0].double().numpy()
    template = assets.templates[sample.object_id]
    placed = template.verts @ obj.R.double().numpy().T + obj.t.double().numpy()
    meshes = ((verts, assets.bodies.faces.numpy()), (placed, template.faces))
    for column, mesh in enumerate(meshes):
        off = np.abs(fields.distance[:, column].numpy() - dense(*mesh).query(fields.points.numpy())[0])
        assert np.mean(off) < 0.0025
        assert np.percentile(off, 95) < 0.008


def test_half_of_the_points_are_about_each_surface(dataset):
    fields = dataset[0].target.fields
    near = fields.distance < 0.03
    half = len(near) // 2
    assert near[:half, 0].float().mean() > 0.6
    assert near[half:, 1].float().mean() > 0.6
    assert set(fields.part.unique().tolist()) <= set(range(len(PARTS)))


def test_an_item_is_the_same_to_the_bit_and_epochs_differ(dataset):
    one, again, later = dataset[(0, 1)], dataset[(0, 1)], dataset[(1, 1)]
    for name, tensor in tensors(one.target.fields).items():
        assert torch.equal(tensor, tensors(again.target.fields)[name])
    assert not torch.equal(one.target.fields.points, later.target.fields.points)


def test_shares_that_do_not_sum_to_one_are_refused():
    with pytest.raises(ValueError, match=r"data\.targets\.fields\.shares is .*expected one share for each"):
        FieldConfig(sigmas=(0.1, 0.2), shares=(0.5, 0.2))


def test_a_further_crop_has_no_points():
    with pytest.raises(ValueError, match=r"further\.near\.targets names 'fields'.*model\.reads\.targets"):
        Reads(further={"near": {"crop": "object", "targets": ["fields"]}})
