"""The published size of G2DR: its constants, its parameters, its memory, and one real step."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.engine.build import instantiate
from rhobin.engine.planning.cards import usable
from rhobin.engine.planning.rehearsal import rehearse
from rhobin.engine.stages import stages_of
from rhobin.objects.load import load_templates

ROOT = Path(__file__).parents[2]


def composed(experiment, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", [f"experiment={experiment}", "model.net.backbone.weights=null", *overrides])


def test_the_papers_constants():
    """Report sec. 3.1.1 to 3.1.3; coordinates here are in [0, 1], so a weight of 10 is 20."""
    config = composed("g2dr/paper")
    assert config.data.batch_size == 64
    assert config.optim.optimizer.lr == 1e-5
    assert config.model.reads.crop == "object"
    assert config.data.targets.maps.nocs == "cube"
    assert config.model.weights.nocs == 20
    assert config.model.late.points == config.model.late.centre == config.model.late.depth == 10
    epochs = config.trainer.max_epochs
    assert config.model.switch * epochs == pytest.approx(200, abs=0.1)
    assert config.optim.schedule.flat * epochs == pytest.approx(200, abs=0.1)
    first, second = stages_of(config)
    assert first.config.data.root != second.config.data.root
    assert first.config.data.augment.background_p == 1.0
    assert first.config.data.augment.background_from == second.config.data.root


@pytest.mark.parametrize(("experiment", "millions"), [("g2dr/paper", 41.3), ("g2dr/tuned", 110.5)])
def test_it_fits_the_papers_card(experiment, millions):
    """A step of both networks on fake tensors; an RTX 3090 has 24 GiB."""
    config = composed(experiment)
    found = rehearse(config, [config.data.batch_size])
    assert found.parameters / 1e6 == pytest.approx(millions, abs=0.1)
    assert 4 * 2**30 < found.memory[config.data.batch_size].total < usable(24)


def test_one_real_step_of_the_published_size(tree):
    """Two views at 256 pixels, both networks: every weight gets a finite gradient."""
    from rhobin.data.collate import collate
    from rhobin.engine.build import build_datamodule

    config = composed("g2dr/paper", f"data.root={tree}", "data.workers=0")
    datamodule = build_datamodule(config)
    batch = collate([datamodule.train_dataset[(0, index)] for index in (0, 5)])
    parts = OmegaConf.to_container(config.model, resolve=True)
    parts.pop("reads")
    module = instantiate(parts, _partial_=True)(assets=Assets.of(load_bodies(), load_templates())).train()
    output = module.run_net(batch)
    told = module.in_best_frame(output, batch)
    losses, maps = module.losses_of(output, told), told.target.maps
    assert maps.nocs.shape[-1] == 64
    duel = module.gan(output.nocs, losses["nocs"], module.weights["nocs"], maps.nocs, maps.amodal)
    (losses["loss"] + duel.surrogate + duel.discriminator).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
