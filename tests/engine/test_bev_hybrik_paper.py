"""The published size of BEV-HybrIK: its constants, its parameters and its memory."""

import math
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rhobin.engine.compose import compose_config
from rhobin.engine.planning.cards import usable
from rhobin.engine.planning.rehearsal import rehearse
from rhobin.engine.stages import stages_of

ROOT = Path(__file__).parents[2]


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


def test_two_views_fit_11_gib_and_seven_fit_24():
    """A step of fake tensors, with what a card keeps for itself; the preset's eight leave 6 % of 24 GiB."""
    config = composed("bev_hybrik/paper_base")
    found = rehearse(config, [2])
    two, weights = found.memory[2], found.parameters
    view = two.activations / 2
    assert weights / 1e6 == pytest.approx(134.2, abs=0.1)
    assert two.total < usable(11)
    assert two.total + 5 * view < usable(24) < two.total + 6 * view < (24 - 1) * 2**30
