"""Focal losses: BEV's numbers and gradients, sums over cells, and numbers that could break a logarithm."""

import math

import numpy as np
import pytest
import torch

from rhobin.nets.bev import BevOutput
from rhobin.nets.focal import bev_focal, focal
from rhobin.nets.losses import weighted_mean
from rhobin.types import BevMaps


@pytest.fixture
def vectors(oracle):
    return {name: np.array(value) for name, value in oracle("romp_focal").items() if value.dtype.kind != "U"}


def maps_of(vectors, name, dtype=torch.float64):
    pred, target = (torch.from_numpy(vectors[f"{name}/{part}"]).to(dtype) for part in ("pred", "gt"))
    return pred.requires_grad_(), target


@pytest.mark.parametrize("name", ["2d", "3d"])
def test_focal_losses_are_bevs(vectors, name):
    pred, target = maps_of(vectors, name)
    loss = focal(pred, target, mean_depth=name == "3d")
    np.testing.assert_allclose(loss.detach(), vectors[f"{name}/loss_per_sample"], rtol=1e-9)
    np.testing.assert_allclose(loss.mean().item(), vectors[f"{name}/loss"], rtol=1e-9)
    single = focal(*maps_of(vectors, name, torch.float32), mean_depth=name == "3d").mean()
    np.testing.assert_allclose(single.item(), vectors[f"{name}/loss_f32"], rtol=1e-5)


def test_gradients_are_bevs(vectors):
    pred, target = maps_of(vectors, "2d")
    focal(pred, target).mean().backward()
    np.testing.assert_allclose(pred.grad, vectors["2d/grad"], rtol=1e-9, atol=1e-15)
    pred, target = maps_of(vectors, "3d")
    np.testing.assert_array_equal((target == 1).flatten(1).sum(1), vectors["3d/num_pos"])
    focal(pred, target, mean_depth=True).mean().backward()
    np.testing.assert_allclose(
        pred.grad[0, :, ::4, ::4], vectors["3d/grad_sample0_slice"], rtol=1e-9, atol=1e-15
    )


def test_squared_error_of_heatmaps_is_romps(vectors):
    """`HeatmapLoss`: samples without a person do not count."""
    pred, target = maps_of(vectors, "2d")
    square, there = (pred - target).square().mean((1, 2)), (target.sum((1, 2)) > 0).double()
    np.testing.assert_allclose(weighted_mean(square, there).item(), vectors["mse/loss"], rtol=1e-9)


def slow(pred, target):
    total, count = 0.0, 0
    for p, g in zip(pred.flatten().tolist(), target.flatten().tolist(), strict=True):
        safe = min(max(p, 1e-3), 1 - 1e-3)
        total -= (1 - p) ** 2 * math.log(safe) if g == 1 else (1 - g) ** 4 * p**2 * math.log(1 - safe)
        count += g == 1
    return total / (count + 1e-4) if count else total


def profiles(batch, length, centre):
    away = torch.arange(length) - torch.tensor(centre)[:, None]
    return torch.exp(-(away.double() ** 2) / 3).expand(batch, length).clone()


def test_branch_is_compared_with_products_of_profiles():
    cell = torch.tensor([[1, 2, 3], [0, 0, 0]])
    axes = [profiles(2, length, cell[:, a].tolist()) for a, length in ((0, 4), (1, 5), (2, 6))]
    for profile in axes:
        profile[1] = 0  # nobody in the second sample's volume
    depth, row, column = axes
    maps = BevMaps(depth, row, column, row, column, cell, torch.zeros(2, 3), torch.tensor([1.0, 0.0]))
    torch.manual_seed(0)
    front, bird, volume = (torch.rand(2, *shape).double() for shape in ((5, 6), (4, 6), (4, 5, 6)))
    terms = bev_focal(BevOutput(front, bird, volume, torch.zeros(2, 3, 4, 5, 6)), maps)
    dense = {
        "front": (front, torch.einsum("by,bx->byx", row, column)),
        "bird": (bird, torch.einsum("bz,bx->bzx", depth, column)),
        "volume": (volume, torch.einsum("bz,by,bx->bzyx", depth, row, column)),
    }
    for name, (pred, target) in dense.items():
        expected = sum(slow(p, g) for p, g in zip(pred, target, strict=True)) / 2
        assert getattr(terms, name).item() == pytest.approx(expected, rel=1e-7)
    mean = bev_focal(BevOutput(front, bird, volume, torch.zeros(2, 3, 4, 5, 6)), maps, mean_depth=True)
    torch.testing.assert_close(mean.volume * 4, terms.volume)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loss_and_gradient_are_finite_whatever_is_predicted(dtype):
    pred = torch.tensor([[[-3.0, 0.0, 1.0, 4.0]] * 2], dtype=dtype, requires_grad=True)
    target = torch.tensor([[[1.0] * 4, [0.0] * 4]])
    with torch.autocast("cpu", torch.bfloat16):
        loss = focal(pred, target)
    assert loss.dtype == torch.float32
    assert loss.isfinite().all()
    loss.sum().backward()
    assert pred.grad.isfinite().all()
    assert pred.grad[0, 0, 1] < 0 < pred.grad[0, 1, 2]
