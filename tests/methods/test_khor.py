"""KHOR's network, loss and Lightning module on made-up batches."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from rhobin.methods.khor.loss import TERMS, KhorLoss, laplace, point_distance, weighted_mean
from rhobin.methods.khor.net import KhorNet, KhorOutput
from rhobin.nets.heatmap import Keypoints, PlanarHead
from rhobin.nets.lite import Lite
from rhobin.types import Batch, Heatmaps, HumanTarget, ObjectTarget, Target


def small_net(object_classes=0):
    torch.manual_seed(0)
    return KhorNet(Lite(widths=(8, 12, 16, 16), out_channels=8), PlanarHead, object_classes)


def make_target(batch=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.randn(*shape, generator=rng) * 0.1  # noqa: E731
    human = HumanTarget(
        theta=rand(batch, 52, 3, 3), beta=rand(batch, 10), trans=rand(batch, 3), joints=rand(batch, 29, 3),
        twist=rand(batch, 23, 2), twist_weight=torch.ones(batch, 23), present=torch.ones(batch),
    )  # fmt: skip
    pose = ObjectTarget(rand(batch, 3, 3), rand(batch, 3), rand(batch, 8, 3), torch.ones(batch))
    drawn = Heatmaps(rand(batch, 29, 3), torch.ones(batch, 29), rand(batch, 8, 3), torch.ones(batch, 8))
    return Target(human, pose, drawn)


def make_batch(target):
    size = len(target.human.beta)
    return Batch(
        torch.zeros(size, 5, 4, 4),
        torch.eye(3).expand(size, 3, 3),
        torch.ones(size, 3),
        torch.eye(3).expand(size, 3, 3),
        torch.zeros(size),
        torch.zeros(size),
        target,
        [],
    )


def perfect(target):
    batch = len(target.human.beta)
    human = Keypoints(target.heatmaps.joints_uvd.clone(), torch.full((batch, 29), 0.1))
    obj = Keypoints(target.heatmaps.kpts_uvd.clone(), torch.full((batch, 8), 0.1))
    return KhorOutput(human, obj, target.human.beta.clone(), target.human.twist.clone())


def test_shapes():
    output = small_net()(torch.randn(2, 5, 64, 64), torch.tensor([0, 19]))
    assert output.human.uvd.shape == (2, 29, 3)
    assert output.human.sigma.shape == (2, 29)
    assert output.object.uvd.shape == (2, 8, 3)
    assert output.beta.shape == (2, 10)
    assert output.twist.shape == (2, 23, 2)


def test_the_class_is_read_only_with_an_embedding():
    image = torch.randn(1, 5, 64, 64)
    for classes in (0, 20):
        net = small_net(classes).eval()
        a, b = net(image, torch.tensor([2])), net(image, torch.tensor([5]))
        assert torch.equal(a.object.uvd, b.object.uvd) == (classes == 0)


@pytest.mark.parametrize("part", ["human", "object"])
def test_each_part_has_its_own_losses(part):
    target = make_target()
    whole, whole_losses = perfect(target), KhorLoss()(perfect(target), make_batch(target))
    alone = whole._replace(object=None) if part == "human" else KhorOutput(object=whole.object)
    losses = KhorLoss()(alone, make_batch(target))
    assert {*losses} == {*TERMS[part]}
    assert all(losses[name] == whole_losses[name] for name in losses)


@pytest.mark.parametrize("parts", [("human",), ("object",)])
def test_a_network_of_one_part_has_no_weights_of_the_other(parts):
    net = KhorNet(Lite(widths=(8, 12, 16, 16), out_channels=8), PlanarHead, parts=parts)
    output = net(torch.randn(2, 5, 64, 64), torch.tensor([0, 19]))
    assert (output.human is None, output.object is None) == ("human" not in parts, "object" not in parts)
    assert (output.beta is None) == (output.twist is None) == ("human" not in parts)
    other = "object." if parts == ("human",) else "human."
    assert not [name for name, _ in net.named_parameters() if name.startswith(other)]


def test_a_perfect_answer_costs_nothing_but_its_doubt():
    target = make_target()
    losses = KhorLoss()(perfect(target), make_batch(target))
    floor = math.log(0.1 * math.sqrt(2 * math.pi))
    assert losses.pop("joints_laplace").item() == pytest.approx(floor, abs=1e-5)
    assert losses.pop("kpts_laplace").item() == pytest.approx(floor, abs=1e-5)
    assert all(value.item() < 2e-6 for value in losses.values())


def test_losses_match_plain_numpy():
    target, output = make_target(), perfect(make_target(seed=1))
    target.heatmaps.joints_weight[0, :20] = 0
    target.heatmaps.kpts_weight[1] = 0
    target.human.twist_weight[:, 3] = 0
    losses = {name: value.item() for name, value in KhorLoss()(output, make_batch(target)).items()}
    for name, points, truth, weight in (
        ("joints", output.human, target.heatmaps.joints_uvd, target.heatmaps.joints_weight),
        ("kpts", output.object, target.heatmaps.kpts_uvd, target.heatmaps.kpts_weight),
    ):
        p, t, keep, s = (x.numpy() for x in (points.uvd, truth, weight, points.sigma))
        kept = keep > 0
        assert losses[name] == pytest.approx(np.linalg.norm(p - t, axis=-1)[kept].mean(), rel=1e-5)
        term = np.log(s * np.sqrt(2 * np.pi))[..., None] + np.abs(p - t) / (np.sqrt(2) * s[..., None] + 1e-5)
        assert losses[f"{name}_laplace"] == pytest.approx(term[kept].mean(), rel=1e-5)
    assert losses["beta"] == pytest.approx(((output.beta - target.human.beta) ** 2).mean().item(), rel=1e-5)
    twist = ((output.twist - target.human.twist) ** 2).mean(-1)
    assert losses["twist"] == pytest.approx(twist[target.human.twist_weight > 0].mean().item(), rel=1e-5)


def test_the_laplace_term_is_least_at_error_over_root_two():
    """spec: the minimiser is sigma* = |e| / sqrt 2, the mark of HybrIK's un-normalised form."""
    sigma = torch.linspace(0.005, 0.2, 2000)[:, None]
    error = torch.full((2000, 1, 3), 0.1)
    values = torch.stack(
        [
            laplace(error[i : i + 1], sigma[i : i + 1], torch.zeros(1, 1, 3), torch.ones(1, 1))
            for i in range(2000)
        ]
    )
    assert sigma[values.argmin(), 0].item() == pytest.approx(0.1 / math.sqrt(2), rel=0.01)


def test_absent_targets_give_no_gradient_even_when_they_are_not_numbers():
    pred = torch.zeros(1, 2, 3, requires_grad=True)
    target = torch.tensor([[[0.1, 0, 0], [float("nan")] * 3]])
    point_distance(pred, target, torch.tensor([[1.0, 0.0]])).backward()
    assert torch.isfinite(pred.grad).all()
    assert pred.grad[0, 0].norm().item() == pytest.approx(1, rel=1e-4)


def test_no_target_at_all_is_zero():
    assert weighted_mean(torch.randn(4), torch.zeros(4)).item() == 0


def test_a_step_on_one_batch_lowers_every_loss():
    net, loss, target = small_net(), KhorLoss(), make_target(batch=4)
    image = torch.randn(4, 5, 64, 64)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    history = []
    for _ in range(60):
        losses = loss(net(image, torch.zeros(4, dtype=torch.long)), make_batch(target))
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        history.append({name: value.item() for name, value in losses.items()})
    assert all(history[-1][name] < 0.9 * history[0][name] for name in ("joints", "kpts", "beta", "twist"))
    assert history[-1]["joints_laplace"] < history[0]["joints_laplace"] - 0.3


def test_net_needs_no_lightning():
    import subprocess
    import sys

    code = (
        "import sys, rhobin.methods.khor.net, rhobin.methods.khor.loss;"
        "sys.exit('pytorch_lightning' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_parameter_is_trained():
    net = small_net(20)
    losses = KhorLoss()(net(torch.randn(4, 5, 64, 64), torch.arange(4)), make_batch(make_target(batch=4)))
    torch.stack(list(losses.values())).sum().backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    # a convolution's bias before batch normalisation or softmax changes nothing
    assert idle == [], idle
    assert isinstance(net, nn.Module)
