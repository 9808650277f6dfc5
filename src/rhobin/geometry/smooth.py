"""Rotations and points smoothed over time."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.rotation import project_to_so3

REACH = 3
"""Standard deviations at which the Gaussian is cut off."""


def smooth_points(values: Float[Tensor, " *T"], sigma: float) -> Float[Tensor, " *T"]:
    """Means over time with Gaussian weights, of what lies within the sequence.

    Args:
        values: (T, ...) at even times.
        sigma: standard deviation of the weights, in steps, above 0.
    """
    count, reach = len(values), math.ceil(REACH * sigma)
    total, weight = torch.zeros_like(values), values.new_zeros(count)
    for shift in range(-min(reach, count - 1), min(reach, count - 1) + 1):
        share = math.exp(-0.5 * (shift / sigma) ** 2)
        first, last = max(0, -shift), min(count, count - shift)
        total[first:last] += share * values[first + shift : last + shift]
        weight[first:last] += share
    return total / weight.view(-1, *[1] * (values.dim() - 1))


def smooth_rotations(R: Float[Tensor, "*T 3 3"], sigma: float) -> Float[Tensor, "*T 3 3"]:
    """The rotations nearest to means of matrices over time: weighted chordal means; see `smooth_points`."""
    return project_to_so3(smooth_points(R, sigma))
