"""Groups of parameters."""

import copy

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


SCHEDULES = {
    "ours": lambda optimizer, total_steps: warmup_cosine(optimizer, total_steps, warmup=0.5),
    "of torch": lambda optimizer, total_steps: torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5),
}


def trained(owner, lr, decay, schedule, steps, saved=None):
    """A group after some steps, from the states of another where they are given; and its weights."""
    makers = {
        "optimizer": lambda parameters: torch.optim.AdamW(parameters, lr=lr, weight_decay=decay),
        "schedule": SCHEDULES[schedule],
    }
    (group,) = build_groups(owner, {"net": makers}, total_steps=10)
    if saved:
        group.optimizer.load_state_dict(copy.deepcopy(saved[0]))
        group.schedule.load_state_dict(copy.deepcopy(saved[1]))
    group.restore_settings()
    rates = []
    for _ in range(steps):
        rates.append(group.optimizer.param_groups[0]["lr"])
        owner["net"](torch.ones(1, 3)).sum().backward()
        group.optimizer.step()
        group.schedule.step()
    return group, rates


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_checkpoint_goes_on_with_the_settings_of_now(schedule):
    owner = nn.ModuleDict({"net": nn.Linear(3, 2)})
    group, _ = trained(owner, 0.1, 0.01, schedule, 3)
    saved = group.optimizer.state_dict(), group.schedule.state_dict()
    _, expected = trained(nn.ModuleDict({"net": nn.Linear(3, 2)}), 0.02, 0.5, schedule, 8)
    resumed, rates = trained(owner, 0.02, 0.5, schedule, 5, saved)
    assert rates == pytest.approx(expected[3:], rel=1e-12)
    assert resumed.optimizer.param_groups[0]["weight_decay"] == 0.5


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_unchanged_settings_change_no_bit(schedule):
    whole = nn.ModuleDict({"net": nn.Linear(3, 2)})
    parts = copy.deepcopy(whole)
    _, expected = trained(whole, 0.1, 0.01, schedule, 8)
    group, first = trained(parts, 0.1, 0.01, schedule, 3)
    saved = group.optimizer.state_dict(), group.schedule.state_dict()
    _, rest = trained(parts, 0.1, 0.01, schedule, 5, saved)
    assert first + rest == expected
