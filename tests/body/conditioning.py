"""How far two correct solvers of inverse kinematics may differ: condition numbers of the recorded problems.

A problem's condition number is how far its rotations move when its points move by a little. What moves the
points is rounding, and the constant that the reference adds to lengths. Its naive mode turns the spine first,
then the hips about it: near half turns of either it multiplies what is off by 1 / cos(half the turn).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rhobin.body.joints import PARENTS29

ADDED = 1e-8  # to lengths and products of lengths, by the reference
SAFETY = 10.0  # some operations a joint, each with a rounding of its own
MOVE, DRAWS = 1e-8, 8  # metres; how often the points are moved at random

Solver = Callable[[Tensor, Tensor, Tensor], Tensor]


def allowed(
    solve: Solver,
    joints: Tensor,
    rest: Tensor,
    twist: Tensor,
    dtype: torch.dtype,
    added: float = 0.0,
    naive: bool = False,
) -> Tensor:
    """How far the worst rotation of each sample may be off, Frobenius; infinite where it is not determined.

    Args:
        solve: joints, rest and twist to local rotations (B, J, 3, 3), exactly.
        joints: (B, N, 3) metres, float64.
        rest: (B, N, 3) metres, float64.
        twist: (B, 23, 2) float64.
        dtype: of the less exact of the two solvers, or of the numbers that were recorded.
        added: what one of them adds to lengths, and the other does not.
        naive: one of them is the reference in its naive mode.

    Returns:
        (B,) bounds.
    """
    parents = list(PARENTS29[1 : rest.shape[1]])
    shortest = (rest[:, 1:] - rest[:, parents]).norm(dim=-1).amin(1)
    times = torch.ones_like(shortest)
    if naive:
        level, times = _spine_then_hips(joints, rest)
        shortest = shortest.minimum(level)
    off = torch.finfo(dtype).eps * (joints - joints[:, :1]).abs().amax((1, 2)) + added / shortest
    return SAFETY * _sensitivity(solve, joints, rest, twist) * off * times


def largest(difference: Tensor) -> Tensor:
    """The largest Frobenius norm of each sample's matrices, (B,)."""
    return difference.norm(dim=(-2, -1)).amax(-1)


def _sensitivity(solve: Solver, joints: Tensor, rest: Tensor, twist: Tensor) -> Tensor:
    """How far the worst rotation of each sample moves when its points move by a metre, (B,)."""
    draw = torch.Generator().manual_seed(0)
    still, worst = solve(joints, rest, twist), torch.zeros(len(joints), dtype=torch.float64)
    for _ in range(DRAWS):
        moved = [
            x + MOVE * torch.randn(x.shape, generator=draw, dtype=x.dtype) for x in (joints, rest, twist)
        ]
        worst = worst.maximum(largest(solve(*moved) - still) / MOVE)
    return worst


def _spine_then_hips(joints: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """How far the hips' middle is from the spine's line (B,), and what half turns multiply errors by (B,)."""
    spine, old = joints[:, 3] - joints[:, 0], rest[:, 3] - rest[:, 0]
    hips, before = joints[:, 1:3].mean(1) - joints[:, 0], rest[:, 1:3].mean(1) - rest[:, 0]
    across, was = _across(hips, spine), _across(_swing(old, spine, before), spine)
    level = across.norm(dim=-1).minimum(was.norm(dim=-1))
    return level, 1 / (_cos_of_half(old, spine) * _cos_of_half(was, across))


def _across(vector: Tensor, axis: Tensor) -> Tensor:
    along = axis / axis.norm(dim=-1, keepdim=True)
    return vector - (vector * along).sum(-1, keepdim=True) * along


def _swing(start: Tensor, end: Tensor, vector: Tensor) -> Tensor:
    """A vector turned as the shortest rotation turns one direction to another."""
    a, b = (x / x.norm(dim=-1, keepdim=True) for x in (start, end))
    middle = a + b
    half = 2 * (vector * a).sum(-1, keepdim=True) * a - vector
    return 2 * (half * middle).sum(-1, keepdim=True) * middle / middle.square().sum(-1, keepdim=True) - half


def _cos_of_half(start: Tensor, end: Tensor) -> Tensor:
    """Cosine of half the angle between directions, exact near half turns."""
    a, b = (x / x.norm(dim=-1, keepdim=True) for x in (start, end))
    return (a + b).norm(dim=-1) / 2
