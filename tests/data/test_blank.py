"""The blank batch against one that was made of real samples."""

import pytest
from behave_tree import make_tree
from data_samples import make_dataset, sample_config, tensors

from rhobin.data.blank import blank_batch
from rhobin.data.collate import collate
from rhobin.data.targets.bev import BevConfig
from rhobin.data.targets.maps import MapConfig


@pytest.mark.parametrize("sizes", [(), (32, 96)])
def test_a_blank_batch_has_every_shape_and_type_of_a_real_one(tmp_path, sizes):
    small = {"crop": "object", "expand": None, "input_size": 48, "targets": ["maps"]}
    reads = {"targets": ["heatmaps", "maps", "bev", "fields"], "further": {"near": small}}
    bev, maps = BevConfig(stride=8, bins=16), MapConfig(stride=4, regions=8)
    config = sample_config(64, reads, maps=maps, bev=bev, sizes=sizes)
    dataset = make_dataset(make_tree(tmp_path), config)
    largest = max((64, *sizes))
    real = collate([dataset[(0, index, largest) if sizes else (0, index)] for index in range(3)])
    blank = blank_batch(config, 3)
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors(blank).items()}
    assert shapes == {name: (tensor.shape, tensor.dtype) for name, tensor in tensors(real).items()}
    assert len(blank.keys) == 3
