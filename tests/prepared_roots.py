"""Datamodules of raw and of prepared roots, and how far their batches are apart."""

import json
from functools import cache

import numpy as np
import torch
from data_samples import merged, tensors

from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.splits import available_splits

OPTIONS = {"view": {"input_size": 64}, "batch_size": 4, "validation": {"fraction": 0.25}, "workers": 0}
RAM = {"kind": "ram"}
EVERYTHING = {"validation": {"fraction": 0}, "augment": {}}
MEAN_DIFFERENCE, MAX_DIFFERENCE = 3.5, 35.0  # levels of noise


@cache
def _made(root, changes):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, json.loads(changes)))
    datamodule.setup()
    return datamodule


def make(root, **changes):
    """A datamodule; the same one for the same settings."""
    return _made(root, json.dumps(changes))


def make_prepared(root, out, **recipe):
    prepare(plan(list(available_splits(root).releases.values()), out, Recipe(**recipe)))
    return out


def compare(raw, stored):
    """Mean and maximal difference of colour, and the worst overlap of masks, over two loaders."""
    means, most, overlaps = [], 0.0, []
    batches = list(zip(raw, stored, strict=True))
    assert batches
    for a, b in batches:
        assert a.keys == b.keys
        assert torch.allclose(a.K_crop, b.K_crop, atol=1e-5, rtol=0)
        others = tensors(b.target)
        for name, value in tensors(a.target).items():
            assert torch.allclose(value, others[name], atol=1e-5, rtol=0), name
        difference = (a.image[:, :3].float() - b.image[:, :3].float()).abs()
        means.append(difference.mean().item())
        most = max(most, difference.max().item())
        both, either = (a.image[:, 3:] & b.image[:, 3:]) > 0, (a.image[:, 3:] | b.image[:, 3:]) > 0
        overlaps.append((both.sum((0, 2, 3)) / either.sum((0, 2, 3))).min().item())
    return float(np.mean(means)), most, min(overlaps)
