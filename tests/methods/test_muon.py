"""Muon against its equations in float64, by singular values; the rest against torch's AdamW."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from rhobin.methods.muon import muon

MOMENTUM, LR, DECAY = 0.95, 1e-2, 0.1
SHAPES = ((12, 8, 3, 3), (64, 16, 1, 1), (16, 8, 3))
THIN = ((12,), (9, 20), (4, 8, 3, 3), (16, 1, 1, 1))


def orthogonal(matrix):
    """Five Newton-Schulz steps: a polynomial of each singular value, and the same singular vectors."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return (u * s) @ v


def expected(start, gradients):
    weight, mean = start.copy(), np.zeros_like(start)
    for gradient in gradients:
        weight = weight * (1 - LR * DECAY)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * gradient
        ahead = MOMENTUM * mean + (1 - MOMENTUM) * gradient
        matrix = ahead.reshape(len(ahead), -1)
        weight = weight - LR * 0.2 * max(matrix.shape) ** 0.5 * orthogonal(matrix).reshape(weight.shape)
    return weight


def descend(weights, gradients, optimizer):
    for step in zip(*gradients, strict=True):
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = torch.tensor(gradient, dtype=weight.dtype)
        optimizer.step()


def drawn(shapes, steps=8):
    rng = np.random.default_rng(0)
    return [rng.normal(size=s) for s in shapes], [[rng.normal(size=s) for _ in range(steps)] for s in shapes]


def test_convolutions_move_as_the_equations_say():
    start, gradients = drawn(SHAPES)
    weights = [nn.Parameter(torch.tensor(w)) for w in start]
    descend(weights, gradients, muon(weights, lr=LR, weight_decay=DECAY))
    for weight, first, steps in zip(weights, start, gradients, strict=True):
        np.testing.assert_allclose(weight.detach().numpy(), expected(first, steps), rtol=0, atol=1e-10)


def test_float32_is_as_good_as_float32_can_be():
    start, gradients = drawn(SHAPES[:1])
    weights = [nn.Parameter(torch.tensor(start[0], dtype=torch.float32))]
    descend(weights, gradients, muon(weights, lr=LR, weight_decay=DECAY))
    np.testing.assert_allclose(
        weights[0].detach().numpy(), expected(start[0], gradients[0]), rtol=0, atol=1e-5
    )


def test_vectors_and_thin_matrices_get_adamw():
    start, gradients = drawn(THIN)
    weights, others = ([nn.Parameter(torch.tensor(w)) for w in start] for _ in range(2))
    descend(weights, gradients, muon(weights, lr=LR, weight_decay=DECAY))
    descend(others, gradients, torch.optim.AdamW(others, lr=LR, weight_decay=DECAY))
    for weight, other in zip(weights, others, strict=True):
        torch.testing.assert_close(weight, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_saved_state_goes_on_to_the_bit(layout):
    start, gradients = drawn(SHAPES[:2])
    weights = [nn.Parameter(torch.tensor(w).to(memory_format=layout)) for w in start]
    optimizer = muon(weights, lr=LR)
    descend(weights, [g[:4] for g in gradients], optimizer)
    twins = copy.deepcopy(weights)
    resumed = muon(twins, lr=LR)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    descend(weights, [g[4:] for g in gradients], optimizer)
    descend(twins, [g[4:] for g in gradients], resumed)
    for weight, twin in zip(weights, twins, strict=True):
        assert torch.equal(weight, twin)


def test_a_network_without_convolutions_is_trained_too():
    layer = nn.Linear(9, 9)
    (group,) = muon(layer.parameters(), lr=LR).param_groups
    assert not group["use_muon"]
