"""Manual optimisation: each group moves by the gradient of its own loss alone."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from rhobin.clock import Clock
from rhobin.methods.base import Method
from rhobin.methods.optim import gradients_kept


class Two(Method):
    name, title, automatic_optimization = "two", "Two", False


@pytest.fixture
def two(monkeypatch):
    """A method of two numbers, `net` and `critic`, with plain gradient descent and two batches a step."""
    method = Two(nn.Linear(1, 1, bias=False), nn.Identity(), {}, {})
    method.critic = nn.Linear(1, 1, bias=False)
    for part in (method.net, method.critic):
        nn.init.constant_(part.weight, 2.0)
    method.clock = Clock(max_steps=4, accumulate=2)
    method.clock.begin(8)
    optimizers = [torch.optim.SGD(part.parameters(), lr=1.0) for part in (method.net, method.critic)]
    for optimizer in optimizers:
        optimizer.register_step_pre_hook(lambda o, *_: method.on_before_optimizer_step(o))
    method.groups = [
        SimpleNamespace(name=name, parameters=list(getattr(method, name).parameters()))
        for name in ("net", "critic")
    ]
    schedule = SimpleNamespace(step=lambda: None)
    monkeypatch.setattr(method, "optimizers", lambda: optimizers)
    monkeypatch.setattr(method, "lr_schedulers", lambda: [schedule, schedule])
    monkeypatch.setattr(method, "manual_backward", lambda loss: loss.backward())
    return method


def test_a_step_of_two_batches_is_the_mean_of_each_group_s_own_gradients(two):
    norms = []
    for x in (1.0, 3.0):
        seen = two.critic(two.net(torch.tensor([[x]])))
        norms.append(two.descend("net", seen.sum()))
        norms.append(two.descend("critic", two.critic(torch.tensor([[10 * x]])).sum()))
        two.clock.count()
    assert norms[:2] == [None, None]
    # the net's gradient is 2 x, seen through the critic; the critic's own is 10 x, and none of the net's loss
    assert two.net.weight.item() == pytest.approx(2 - (2 * 1 + 2 * 3) / 2)
    assert two.critic.weight.item() == pytest.approx(2 - (10 * 1 + 10 * 3) / 2)
    assert norms[2].item() == pytest.approx(4)
    assert norms[3].item() == pytest.approx(20)


def test_gradients_are_clipped_by_group(two):
    two.gradient_clip = 0.5
    for x in (1.0, 3.0):
        two.descend("net", two.net(torch.tensor([[x]])).sum())
        two.descend("critic", two.critic(torch.tensor([[x]])).sum())
        two.clock.count()
    assert two.net.weight.item() == pytest.approx(1.5, abs=1e-4)


def test_gradients_come_back_after_an_error():
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.tensor([3.0])
    with pytest.raises(RuntimeError), gradients_kept([weight]):
        raise RuntimeError
    assert weight.grad.item() == 3
