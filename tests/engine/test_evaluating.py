"""Validation leaves the network as it was, and runs it once a batch."""

import pytest
import torch

from rhobin.clock import Clock
from rhobin.engine.build import build_datamodule, build_module, validation_views
from rhobin.engine.evaluator import Evaluator, evaluating
from rhobin.engine.monitor import Monitor


@pytest.fixture
def built(smoke, tmp_path):
    config = smoke(tmp_path / "run")
    datamodule = build_datamodule(config)
    return datamodule, build_module(config, datamodule.assets)


def test_the_network_runs_once_a_batch(built, monkeypatch):
    datamodule, module = built
    views, calls = validation_views(datamodule, 4), []
    whole = module.run_net
    monkeypatch.setattr(module, "run_net", lambda batch: calls.append(len(batch)) or whole(batch))
    Evaluator(Clock(1), views, datamodule.assets, 1, 50, 0, Monitor("val/joint_mm", False)).score(module)
    assert calls == [len(view) for view in views]


def test_parts_keep_their_modes(built):
    _, module = built
    module.train()
    module.net.backbone.blocks[0].eval()
    before = {name: part.training for name, part in module.named_modules()}
    with evaluating(module):
        assert not any(part.training for part in module.modules())
    assert {name: part.training for name, part in module.named_modules()} == before


def test_what_is_frozen_stays_in_evaluation_mode_and_still(built):
    _, module = built
    module.freeze_modules(("net.backbone",))
    module.train()
    assert not any(part.training for part in module.net.backbone.modules())
    assert module.net.human.training
    assert not any(p.requires_grad for p in module.net.backbone.parameters())
    assert all(p.requires_grad for p in module.net.human.parameters())
    with pytest.raises(ValueError, match=r"freeze names 'net\.bakbone', which is no submodule"):
        module.freeze_modules(("net.bakbone",))
    assert torch.is_grad_enabled()
