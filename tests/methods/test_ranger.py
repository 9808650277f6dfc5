"""Ranger against its equations, step by step; the schedule at the points that GDR-Net's has."""

import math

import numpy as np
import pytest
import torch

from rhobin.engine.optim import flat_cosine
from rhobin.methods.ranger import ranger

BETA1, BETA2, EPS, K, ALPHA = 0.95, 0.999, 1e-5, 6, 0.5


class Equations:
    """Rectified Adam (Liu et al., 2020), lookahead (Zhang et al., 2019), centred gradients; in float64.

    GDR-Net's version: the slow weights begin as the first weights; while the variance is not tractable the
    step is momentum with its bias taken out; decay is decoupled.
    """

    def __init__(self, weights, lr, decay):
        self.fast, self.slow = [w.copy() for w in weights], [w.copy() for w in weights]
        self.m, self.v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
        self.lr, self.decay, self.t = lr, decay, 0

    def step(self, gradients):
        self.t += 1
        longest = 2 / (1 - BETA2) - 1
        rho = longest - 2 * self.t * BETA2**self.t / (1 - BETA2**self.t)
        for i, g in enumerate(gradients):
            if g.ndim > 1:
                g = g - g.mean(axis=tuple(range(1, g.ndim)), keepdims=True)
            self.m[i] = BETA1 * self.m[i] + (1 - BETA1) * g
            self.v[i] = BETA2 * self.v[i] + (1 - BETA2) * g * g
            self.fast[i] = self.fast[i] * (1 - self.lr * self.decay)
            mean = self.m[i] / (1 - BETA1**self.t)
            if rho > 5:
                r = (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
                scale = math.sqrt(r * (1 - BETA2**self.t))
                self.fast[i] = self.fast[i] - self.lr * scale * mean / (np.sqrt(self.v[i]) + EPS)
            else:
                self.fast[i] = self.fast[i] - self.lr * mean
            if self.t % K == 0:
                self.slow[i] = self.slow[i] + ALPHA * (self.fast[i] - self.slow[i])
                self.fast[i] = self.slow[i].copy()


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_sixty_steps_are_those_of_the_equations(decay):
    """Across the syncs at steps 6 and 12 and the end of the warm-up of the variance."""
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape) for shape in ((4, 3, 3, 3), (5, 4), (5,))]
    weights = [torch.nn.Parameter(torch.tensor(w)) for w in start]
    optimizer, reference = ranger(weights, lr=1e-2, weight_decay=decay), Equations(start, 1e-2, decay)
    for _ in range(60):
        gradients = [rng.normal(size=w.shape) * 0.1 for w in start]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = torch.tensor(gradient)
        optimizer.step()
        reference.step(gradients)
        for ours, theirs in zip(weights, reference.fast, strict=True):
            assert np.allclose(ours.detach().numpy(), theirs, rtol=0, atol=1e-10)


def test_the_first_steps_go_downhill():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer, losses = ranger([weight], lr=1e-2), []
    for _ in range(5):
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_the_schedule_has_gdr_nets_points():
    parameter = torch.nn.Parameter(torch.zeros(1))
    schedule = flat_cosine(torch.optim.SGD([parameter], lr=1.0), 100_000, warmup_steps=1000, flat=0.72)
    factor = schedule.lr_lambdas[0]
    assert factor(0) == pytest.approx(0.001)
    assert factor(500) == pytest.approx(0.5005)
    assert factor(1000) == factor(72_000) == 1
    assert factor(86_000) == pytest.approx(0.5)
    assert factor(100_000) == pytest.approx(0, abs=1e-12)
