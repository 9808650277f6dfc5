"""The published size of BEV-HybrIK: its constants, its parameters and its memory."""

import math
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rhobin.engine.preview import compose_config
from rhobin.engine.stages import stages_of

ROOT = Path(__file__).parents[2]
GIB = 2**30


def composed(experiment, *overrides):
    return compose_config([f"experiment={experiment}", "model.net.backbone.weights=null", *overrides])


def test_the_papers_constants():
    """Report sec. 3.2.2: HRNet-W64 at 640 px, trained in stages; 26 members."""
    config = composed("bev_hybrik/paper_base")
    assert config.data.view.input_size == 640
    assert config.model.net.backbone.variant == "hrnet_w64.ms_in1k"
    planar, spatial, last = (stage.config for stage in stages_of(config))
    assert planar.model.weights.volume == planar.model.weights.beta == 0 < planar.model.weights.joints
    assert planar.model.posing == spatial.model.posing == 1.0 > last.model.posing
    assert spatial.model.weights.volume == last.model.weights.pose == 1.0
    augment = composed("bev_hybrik/paper_augment")
    assert augment.data.augment.occluder.p > 0
    assert len(augment.data.view.sizes) > 1 < len(augment.model.testing.scales)


def test_the_ensemble_has_26_members():
    """13 seeds of two backbones; whoever changes the sweep changes this."""
    sweep = OmegaConf.load(ROOT / "configs/experiment/bev_hybrik/paper_ensemble.yaml").hydra.sweeper.params
    members = [set(str(values).split(",")) for values in sweep.values()]
    assert math.prod(map(len, members)) == 26


def test_it_fits_the_cards():
    """Fake tensors, forward and backward: 8 views on 24 GB, 2 on 11 GB, with 2 GiB left for the rest."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from footprint import footprint

    config = composed("bev_hybrik/paper_base")
    weights, state, kept, _ = footprint(config)
    assert weights / 1e6 == pytest.approx(134.2, abs=0.1)
    view = kept / config.data.batch_size
    for views, gib in ((8, 24), (2, 11)):
        assert (state + views * view) / GIB + 2 < gib
