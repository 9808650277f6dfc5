"""Peak memory and operations on fake tensors, against real runs and against arithmetic."""

import sys

import pytest
import torch
from torch import nn

from rhobin.engine.compose import compose_config
from rhobin.engine.fit import build_callbacks, fit
from rhobin.engine.planning import tracker
from rhobin.engine.planning.fake import MostRows, make_fake
from rhobin.engine.planning.footprint import Footprint
from rhobin.engine.planning.rehearsal import Rehearsal, rehearse
from rhobin.engine.planning.scales import Scales
from rhobin.engine.planning.tracker import Memory, tracked, why_unknown

SHORT = ("trainer.max_steps=2", "callbacks.views=0", "data.validation.fraction=0")


@pytest.mark.parametrize("experiment", ["khor/smoke", "g2dr/smoke"])
def test_fake_steps_take_what_real_ones_do(tree, tmp_path, monkeypatch, experiment):
    """Body models aside, which are most of so small a module; the discriminator joins at once."""
    late = {"g2dr/smoke": ["model.gan.start=0.0"]}
    place = [f"data.root={tree}", f"run_dir={tmp_path / 'run'}"]
    config = compose_config([f"experiment={experiment}", *place, *SHORT, *late.get(experiment, [])])
    config.stages, scales = {}, Scales(1)
    monkeypatch.setattr("rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), scales])
    fit(config)
    real = max(scales.peaks, key=lambda peak: peak.total)
    fake = rehearse(config, [config.data.batch_size])
    plan = fake.memory[config.data.batch_size]
    assert (plan.parameters, plan.optimizer) == (real.parameters, real.optimizer)
    assert plan.total - plan.parameters == pytest.approx(real.total - real.parameters, rel=0.2)
    assert fake.flops * config.data.batch_size == pytest.approx(scales.flops, rel=0.01)


def test_a_convolution_takes_what_arithmetic_says():
    """Input, output and its gradient are alive when the convolution is passed backwards."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    images = torch.zeros(2, 3, 16, 16)
    with tracked(net, [optimizer], [images]) as found:
        net(images).sum().backward()
        optimizer.step()
    (peak,) = found
    weights, image, output = 4 * 8 * 3 * 9, 4 * 2 * 3 * 256, 4 * 2 * 8 * 256
    assert (peak.parameters, peak.optimizer) == (weights, 0)
    assert image + 2 * output <= peak.total <= image + 3 * output + 3 * weights


def test_another_torch_is_told_and_does_not_crash(monkeypatch):
    why_unknown.cache_clear()
    monkeypatch.setitem(sys.modules, "torch.distributed._tools.mem_tracker", None)
    try:
        scales = Scales(1)
    finally:
        why_unknown.cache_clear()
    assert scales.unknown.startswith(f"not known with torch {torch.__version__}")
    net = nn.Linear(4, 4)
    scales.on_train_batch_start(None, net, None, 0)
    net(torch.zeros(3, 4)).sum().backward()
    scales.on_train_batch_end(None, net, None, None, 0)
    assert scales.peaks == []
    assert scales.flops == 2 * (2 * 3 * 4 * 4)  # forward, and the weights' gradient


def test_a_tracker_that_counts_otherwise_is_not_believed(monkeypatch):
    why_unknown.cache_clear()
    monkeypatch.setattr(tracker, "GRADIENT", "Activation")
    try:
        assert "counts a known step as" in why_unknown()
    finally:
        why_unknown.cache_clear()


def test_weights_shared_by_two_layers_stay_shared():
    mode = torch._subclasses.FakeTensorMode()
    net = nn.ModuleList([nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)])
    net[2].weight = net[0].weight
    net[0].weight.requires_grad_(False)
    make_fake(net, mode)
    assert net[2].weight is net[0].weight
    assert not net[0].weight.requires_grad
    with mode, MostRows():
        assert torch.zeros(5, 2).nonzero().shape == (10, 2)
        assert net[2](net[1](net[0](torch.zeros(3, 4)))).shape == (3, 4)


def test_what_fits_is_read_off_the_lines():
    def at(total):
        return Memory(0, 0, 0, total)

    known = {2: at(200), 10: at(1000), 40: at(4600)}
    found = Footprint(Rehearsal(1, 1, 1.0, averaged=50, state=1, memory=known), "32-true")
    assert [found.memory(count) for count in (2, 6, 10, 25, 40, 50)] == [250, 650, 1050, 2850, 4650, 5850]
    for limit, views in ((100, 0), (250, 2), (649, 5), (650, 6), (5850, 50)):
        assert found.largest(limit) == views
