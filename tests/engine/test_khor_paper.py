"""`khor/paper` as it would run on BEHAVE: memory, steps, where the rate falls."""

import pytest
import torch

from rhobin.engine.build import instantiate
from rhobin.engine.compose import compose_config
from rhobin.engine.planning.cards import usable
from rhobin.engine.planning.rehearsal import rehearse

VIEWS = 45_388
"""CHORE's training views: 11,347 frames of four cameras."""


@pytest.fixture(scope="module")
def config():
    return compose_config(["experiment=khor/paper", "model.net.backbone.weights=null"])


def test_a_batch_of_twelve_fits_eleven_gigabytes(config):
    """A step of fake tensors, Adam's states and the last gradients included."""
    found = rehearse(config, [config.data.batch_size])
    assert found.parameters / 1e6 == pytest.approx(66.1, abs=0.1)
    assert config.data.batch_size == 12
    assert 4 * 2**30 < found.memory[12].total < usable(11)
    assert found.flops / 1e9 == pytest.approx(147, abs=1)


def test_the_rate_falls_after_60_and_80_of_90_epochs(config):
    """Report sec. 3.3.2, with 3,782 batches of 12 an epoch; the last, smaller one is left out."""
    epoch = VIEWS // config.data.batch_size
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=config.optim.optimizer.lr)
    schedule = instantiate(config.optim.schedule)(optimizer, total_steps=90 * epoch)
    assert (epoch, 90 * epoch) == (3782, 340_380)
    assert config.trainer.max_epochs == 90
    factor = schedule.lr_lambdas[0]
    falls = {60 * epoch: (1, 0.1), 80 * epoch: (0.1, 0.01)}
    for step, (before, after) in falls.items():
        assert (factor(step - 1), factor(step)) == (pytest.approx(before), pytest.approx(after))
    assert {round(factor(step), 6) for step in range(0, 60 * epoch, 997)} == {1.0}
    assert factor(90 * epoch - 1) == pytest.approx(0.01)


def test_either_reading_of_the_features_has_256_channels():
    widths = {"all": 48 + 96 + 192 + 384, "finest": 48}
    for branches, channels in widths.items():
        backbone = compose_config(
            ["experiment=khor/paper", f"model.net.backbone.branches={branches}"]
        ).model.net.backbone
        with torch.device("meta"):
            net = instantiate(backbone, weights=None, in_channels=5)
        assert (net.fuse[0].in_channels, net.fuse[0].out_channels) == (channels, 256)
        assert net.grid_channels == net.pooled_channels == 256
