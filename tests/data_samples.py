"""What tests of samples share: the truth of a release, settings in few words, tensors by name."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import torch

from rhobin.assets import Assets
from rhobin.behave.read import read_release
from rhobin.body.load import load_bodies
from rhobin.data.dataset import BehaveDataset
from rhobin.data.reads import Reads
from rhobin.data.settings import SampleConfig, TargetConfig, ViewConfig
from rhobin.data.shared import ViewCache
from rhobin.data.targets.heatmaps import HeatmapConfig
from rhobin.data.targets.views import build_targets

READS = {"targets": ["heatmaps"]}
TARGETS = {"heatmaps": {"depth_range": 4.4}}


def truth_of(release, bodies=None):
    """Ground truth of a release with its own templates."""
    return build_targets(release, Assets.of(bodies or load_bodies(), release.templates))


def sample_config(input_size=64, reads=None, canonical_symmetry=False, maps=None, bev=None, **view):
    """Settings of samples with heatmaps of 4.4 m, or with what `reads` says."""
    drawn = {name: value for name, value in (("maps", maps), ("bev", bev)) if value is not None}
    targets = TargetConfig(canonical_symmetry, HeatmapConfig(4.4), **drawn)
    return SampleConfig(ViewConfig(input_size, **view), Reads(**{**READS, **(reads or {})}), targets)


def make_dataset(root, config=None, augment=None, cache_mb=0, views=None):
    """Training views of a root, or some of them."""
    release = read_release(root, "train")
    views = np.arange(len(release.views.frame)) if views is None else views
    cache = ViewCache(len(views), cache_mb) if cache_mb else None
    return BehaveDataset(
        release, truth_of(release), views, config or sample_config(), augment, seed=3, cache=cache
    )


def merged(options, changes):
    """Options of a datamodule, their sections changed key by key."""
    found = {"reads": READS, "targets": TARGETS, **options}
    for key, value in changes.items():
        found[key] = {**found[key], **value} if isinstance(found.get(key), Mapping) and value else value
    return found


def tensors(value, prefix=""):
    """Every tensor of a sample, batch or target by its dotted name."""
    if isinstance(value, torch.Tensor):
        return {prefix: value}
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if not isinstance(value, Mapping):
        return {}
    parts = (tensors(part, f"{prefix}.{name}" if prefix else str(name)) for name, part in value.items())
    return {name: tensor for part in parts for name, tensor in part.items()}


def differing(a, b):
    """Names of the tensors of two samples, or batches, that are not the same to the bit."""
    first, second = tensors(a), tensors(b)
    return {name for name in {*first, *second} if not _equal(first.get(name), second.get(name))}


def _equal(a, b):
    return a is not None and b is not None and torch.equal(a, b)
