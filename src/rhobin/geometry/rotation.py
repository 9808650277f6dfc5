"""Rotations as 3x3 matrices, any batch axes, stable and differentiable at every angle.

Matrices act on column vectors. No arc cosine anywhere: angles come from ``atan2``.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

ZERO_LENGTH = 1e-12  # metres; shorter vectors have no direction
SMALL_SQUARE = 1e-6  # below it, series replace quotients that would be 0/0 at the origin


def skew(v: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Cross-product matrix of `v`: ``skew(v) @ x == cross(v, x)``."""
    x, y, z = v.unbind(-1)
    a, b, c = (-v).unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, c, y, z, zero, a, b, x, zero), dim=-1).unflatten(-1, (3, 3))


def unit(v: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """`v` at length one; vectors without a direction become the x axis, with zero gradient."""
    size = length(v)
    fallback = torch.eye(3, dtype=v.dtype, device=v.device)[0]
    return torch.where(size > ZERO_LENGTH, v / size.clamp_min(ZERO_LENGTH), fallback)


def perpendicular(a: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """A unit vector at a right angle to the unit vector `a`, well conditioned for every `a`.

    Duff et al. (2017): one formula for each sign of z.
    """
    x, y, z = a.unbind(-1)
    sign = torch.copysign(torch.ones((), dtype=a.dtype, device=a.device), z)
    turned = -sign * x
    share = x / (sign + z)
    return torch.stack((1 + turned * share, -sign * y * share, turned), dim=-1)


def rotvec_to_rotmat(rotvec: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Rotation matrix of an axis-angle vector (Rodrigues).

    Args:
        rotvec: axis times angle, radians; any length, zero included.

    Returns:
        Rotation matrices, orthogonal to working precision.
    """
    square = (rotvec * rotvec).sum(-1)[..., None, None]
    small = square < SMALL_SQUARE
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    a = torch.where(small, 1 - square / 6, angle.sin() / angle)
    half = (angle / 2).sin() / angle
    b = torch.where(small, 0.5 - square / 24, 2 * half * half)
    outer = rotvec[..., :, None] * rotvec[..., None, :]
    identity = torch.eye(3, dtype=rotvec.dtype, device=rotvec.device)
    return (1 - b * square) * identity + a * skew(rotvec) + b * outer


def rotmat_to_quat(rotation: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 4"]:
    """Unit quaternion (w, x, y, z) with w >= 0 of a rotation matrix.

    Each row of the matrix ``4 q q^T`` is linear in the rotation; the longest one is normalised, so no
    square root meets zero and the gradient is finite everywhere.
    """
    r = rotation.flatten(-2).unbind(-1)
    r00, r01, r02, r10, r11, r12, r20, r21, r22 = r
    x, y, z = r21 - r12, r02 - r20, r10 - r01
    xy, xz, yz = r10 + r01, r02 + r20, r21 + r12
    diagonal = (1 + r00 + r11 + r22, 1 + r00 - r11 - r22, 1 - r00 + r11 - r22, 1 - r00 - r11 + r22)
    w4, x4, y4, z4 = diagonal
    rows = torch.stack((w4, x, y, z, x, x4, xy, xz, y, xy, y4, yz, z, xz, yz, z4), dim=-1).unflatten(
        -1, (4, 4)
    )
    best = torch.stack(diagonal, dim=-1).detach().argmax(dim=-1)
    row = rows.gather(-2, best[..., None, None].expand(*best.shape, 1, 4)).squeeze(-2)
    quat = row / row.norm(dim=-1, keepdim=True)
    return torch.where(quat[..., :1] < 0, -quat, quat)


def rotmat_to_rotvec(rotation: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3"]:
    """Axis-angle vector of a rotation matrix.

    Args:
        rotation: rotation matrices.

    Returns:
        Axis times angle, radians, length at most pi.
    """
    quat = rotmat_to_quat(rotation)
    w, v = quat[..., :1], quat[..., 1:]
    square = (v * v).sum(-1, keepdim=True)
    small = square < SMALL_SQUARE
    length = torch.where(small, torch.ones_like(square), square).sqrt()
    factor = torch.where(small, 2 + square / 3, 2 * torch.atan2(length, w) / length)
    return factor * v


def geodesic_angle(first: Float[Tensor, "*B 3 3"], second: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B"]:
    """Angle of the rotation between two rotations, radians in [0, pi], exact near both ends."""
    relative = first.mT @ second
    vector = torch.stack(
        (
            relative[..., 2, 1] - relative[..., 1, 2],
            relative[..., 0, 2] - relative[..., 2, 0],
            relative[..., 1, 0] - relative[..., 0, 1],
        ),
        dim=-1,
    )
    trace = relative.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.atan2(length(vector).squeeze(-1), trace - 1)


def project_to_so3(matrix: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3 3"]:
    """The proper rotation (det +1) nearest to a 3x3 matrix in the Frobenius norm.

    The gradient is that of the polar projection, in closed form: finite for repeated singular values, and
    zero about axes that the matrix does not determine.
    """
    return _Polar.apply(matrix)


class _Polar(torch.autograd.Function):
    """R = U diag(1, 1, det) V^T, with cross products for the last columns of U and V, so never a reflection.

    A change dM turns R by R [w]x with (tr P - P) w = axial(R^T dM - dM^T R), where P = R^T M.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        U, s, Vh = torch.linalg.svd(matrix)
        columns, rows = U[..., :2], Vh[..., :2, :]
        third, last = torch.linalg.cross(*columns.unbind(-1)), torch.linalg.cross(*rows.unbind(-2))
        R = columns @ rows + third[..., :, None] * last[..., None, :]
        ctx.save_for_backward(R, U, s, Vh)
        return R

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        R, U, s, Vh = ctx.saved_tensors
        reflected = (torch.linalg.det(U @ Vh) < 0)[..., None] & torch.tensor([False, False, True]).to(
            s.device
        )
        s = torch.where(reflected, -s, s)
        stiffness = s.sum(-1, keepdim=True) - s
        floor = 8 * torch.finfo(s.dtype).eps * s[..., :1].clamp_min(torch.finfo(s.dtype).tiny)
        inverse = torch.where(stiffness > floor, 1 / stiffness.clamp_min(floor), 0)
        turn = R.mT @ grad
        turn = turn - turn.mT
        axial = torch.stack((turn[..., 2, 1], turn[..., 0, 2], turn[..., 1, 0]), dim=-1)
        w = (Vh.mT @ (inverse[..., None] * (Vh @ axial[..., None]))).squeeze(-1)
        return R @ skew(w)


def length(v: Float[Tensor, "*B n"]) -> Float[Tensor, "*B 1"]:
    """Length of `v` with a zero instead of an undefined gradient at the origin."""
    square = (v * v).sum(-1, keepdim=True)
    zero = square == 0
    return torch.where(zero, square, torch.where(zero, torch.ones_like(square), square).sqrt())


def circle(v: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B 2"]:
    """(cos, sin) of the direction of a vector in the plane; one without length becomes (1, 0)."""
    size = torch.linalg.vector_norm(v, dim=-1, keepdim=True)
    fallback = torch.eye(2, dtype=v.dtype, device=v.device)[0]
    return torch.where(size > 0, v / size.clamp_min(torch.finfo(v.dtype).tiny), fallback)
