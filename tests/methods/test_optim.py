"""Groups of parameters."""

import pytest
import torch
from torch import nn

from rhobin.engine.optim import warmup_cosine
from rhobin.methods.optim import build_groups


def makers(lr):
    return {
        "optimizer": lambda parameters: torch.optim.SGD(parameters, lr=lr),
        "schedule": lambda optimizer, total_steps: warmup_cosine(optimizer, total_steps, warmup=0.1),
    }


@pytest.fixture
def owner():
    return nn.ModuleDict({"net": nn.Linear(3, 2), "critic": nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))})


def test_each_group_has_its_own_optimiser(owner):
    groups = build_groups(owner, {"net": makers(0.1), "critic": makers(0.2)}, total_steps=10)
    assert [group.name for group in groups] == ["net", "critic"]
    assert [len(group.parameters) for group in groups] == [2, 4]
    assert groups[1].optimizer.param_groups[0]["initial_lr"] == 0.2
    assert {id(p) for p in groups[0].optimizer.param_groups[0]["params"]} == {
        id(p) for p in owner["net"].parameters()
    }


def test_frozen_parameters_are_left_out(owner):
    owner["critic"][0].requires_grad_(False)
    groups = build_groups(owner, {"net": makers(0.1), "critic": makers(0.2)}, total_steps=10)
    assert len(groups[1].parameters) == 2


def test_names_that_fit_nothing_are_refused(owner):
    with pytest.raises(ValueError, match=r"names 'critik'; expected submodules .*\['net', 'critic'\]"):
        build_groups(owner, {"critik": makers(0.1)}, total_steps=10)
    with pytest.raises(ValueError, match=r"no group of model\.optim trains critic\.0\.weight \(4 parameters"):
        build_groups(owner, {"net": makers(0.1)}, total_steps=10)
    owner["net"].requires_grad_(False)
    with pytest.raises(ValueError, match="all of net is frozen"):
        build_groups(owner, {"net": makers(0.1), "critic": makers(0.1)}, total_steps=10)
