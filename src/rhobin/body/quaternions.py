"""Quaternions (w, x, y, z) along the first axis of double-precision tensors, many in a row."""

from functools import lru_cache

import torch
from torch import Tensor

# Products with a quaternion q from the left and from the right as matrices, row by row, of (q, -q).
LEFT = (0, 5, 6, 7, 1, 0, 7, 2, 2, 3, 0, 5, 3, 6, 1, 0)
RIGHT = (0, 5, 6, 7, 1, 0, 3, 6, 2, 7, 0, 1, 3, 2, 5, 0)
# A rotation matrix is the identity plus twice two products of an entry of (q, -q) and one of q.
_FIRST = (6, 1, 1, 1, 5, 2, 1, 2, 5, 7, 4, 0, 0, 7, 4, 4, 0, 6)
_SECOND = (2, 2, 3, 2, 1, 3, 3, 3, 1, 3, 3, 2, 3, 3, 1, 2, 1, 2)


def product_matrices(q: Tensor, table: tuple[int, ...]) -> Tensor:
    """Matrices (n, 4, ...) of products with quaternions, by a table like `LEFT` of their entries (q, -q)."""
    rows = torch.cat((q, -q)).index_select(0, constant(table, q.device))
    return rows.view(-1, 4, *q.shape[1:])


def turned(q: Tensor, vector: Tensor) -> Tensor:
    """Vectors (3, K, N) turned by unit quaternions (4, 1, N)."""
    axis = q[1:].expand_as(vector)
    across = torch.linalg.cross(axis, vector, dim=0) + q[:1] * vector
    return vector + 2 * torch.linalg.cross(axis, across, dim=0)


def rotation_matrices(q: Tensor) -> Tensor:
    """Rotation matrices (N, J, 3, 3) of unit quaternions (4, J, N).

    Without a matrix product: on a busy CPU the threads of one cost more than everything else here.
    """
    first = torch.cat((q, -q)).index_select(0, constant(_FIRST, q.device))
    sums = (first * q.index_select(0, constant(_SECOND, q.device))).view(2, 9, *q.shape[1:]).sum(0)
    identity = torch.eye(3, dtype=q.dtype, device=q.device)
    return torch.add(identity, sums.permute(2, 1, 0).unflatten(-1, (3, 3)), alpha=2)


def half_angle(twist: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine (2, ...) of an angle to those of half of it, not of unit length; (0, 0) is no angle.

    (1 + c, s) and (s, 1 - c) both point there or the opposite way, and one of them is long.
    """
    square = (twist * twist).sum(0)
    none = (square == 0).to(square.dtype)
    unit_twist = twist * (square + none).rsqrt()
    cos, sin = unit_twist[:1] + none, unit_twist[1:]
    one = torch.ones((), dtype=cos.dtype, device=cos.device)
    sign = torch.copysign(one, sin)
    return torch.addcmul(one + cos, sign, sin), torch.addcmul(sin, sign, one - cos)


def normal(b: Tensor) -> tuple[Tensor, Tensor]:
    """Entries x and y (1, ...) of unit vectors at right angles to unit vectors (3, ...) and to the z axis."""
    x, y = b[1:2] + 1e-150, -b[:1]  # a vector along z takes the x axis
    size = torch.addcmul(x * x, y, y).rsqrt()
    return x * size, y * size


def unit(q: Tensor) -> Tensor:
    """Quaternions at length one."""
    return q * (q * q).sum(0).rsqrt()


def constant(values: tuple, device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """Numbers as a tensor, made once per device so that no call waits for a copy."""
    if torch.compiler.is_compiling():
        return torch.tensor(values, dtype=dtype, device=device)
    return _kept(values, device, dtype)


@lru_cache
def _kept(values: tuple, device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False):  # kept beyond the mode of the first call
        return torch.tensor(values, dtype=dtype, device=device)
