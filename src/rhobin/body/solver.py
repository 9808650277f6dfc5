"""The solver behind `rhobin.body.ik`: one short step per level of the tree, on unit quaternions.

Every joint but the root turns as swing times twist. The unit quaternions q that take a rest bone b to a
direction w form a great circle, ``q b = w q``. The one with the smallest swing from the parent p is the point
of that circle nearest to p, ``p - w p b`` made unit, and a twist t turns it along the circle:

    q = (p t - w p b t) / |p t - w p b t|.

The products with t and b t are known for all joints beforehand; the length is twice the cosine of half the
swing, so it vanishes where the twist is undefined. No direction is w = 0: the bone stays with its parent.

Tensors are (components, joints, bodies) in double precision, so that operations run over long rows. Joints
1..23 stand in the order of levels; the frame is the pelvis, whose own rotation is taken out beforehand.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rhobin.body.compatible import GUARD
from rhobin.body.joints import CHILD29, SMPL_PARENTS, depth_levels
from rhobin.body.quaternions import (
    LEFT,
    RIGHT,
    constant,
    half_angle,
    normal,
    product_matrices,
    rotation_matrices,
    turned,
    unit,
)
from rhobin.geometry.rotation import ZERO_LENGTH

_SIZES = [len(level) for level in depth_levels(SMPL_PARENTS)[1:]]
_CHILDREN = CHILD29[1:24]
_CHILDREN24 = tuple(
    c if c < 24 else joint for joint, c in enumerate(_CHILDREN, start=1)
)  # no leaves, no bones
# Where, in the level above, the parents of each level's joints stand.
_ABOVE = ((0, 0, 0), (0, 1, 2), (0, 1, 2), (0, 1, 2, 2, 2), (2, 3, 4), (1, 2), (0, 1), (0, 1))
_FREE, _FREE_ABOVE = (1, 2, 3, 13, 14), (0, 0, 0, 9, 9)  # joints that no bone of their parent ends in
_BRANCH = 3  # the level whose last two joints, the collars, do not sit at the end of their parent's bone
# Products from the right with t, b t, -b t and a normal to b, of their entries and of the negative entries.
_RIGHTS = tuple((i + 4 * flip) % 8 % 4 + 4 * k + 12 * ((i + 4 * flip) % 8 > 3)
                for k, flip in ((0, 0), (1, 0), (1, 1), (2, 0)) for i in RIGHT)  # fmt: skip
# The product -w y of a direction w and y is the sum over w's entries of these entries of (x, y, -y).
_CROSS = (5, 6, 7, 8, 11, 6, 7, 8, 9, 10, 5, 8)


class Level(NamedTuple):
    """What is known of the bones of a level's joints K beforehand, for bodies N."""

    turns: Tensor  # (16, 4, K, N) products with t, b t, -b t and a unit normal to b
    swings: Tensor  # (8, 4, K, N) products that swing along the naive bone, and with the normal; or empty
    length: Tensor  # (K, N) of the rest bone
    ends: Tensor  # (2, 3, K, N) wanted end, and the start of the naive bone that ends there
    naive: Tensor  # (3, K, N) direction between the wanted joints; zero where there is none
    reach: Tensor  # (K, N) squared distance from that start within which the aim is adaptive


class Problem(NamedTuple):
    """All levels below the pelvis, and what does not go by levels."""

    levels: list[Level]
    offsets: Tensor  # (3, 5, N) of joints 1, 2, 3 and the collars from their parents, at rest
    tolerance: float  # squared |p - w p b| below which a swing is half a turn, about any axis


def solve(root: Tensor, joints: Tensor, rest: Tensor, twist: Tensor, adaptive: bool) -> Tensor:
    """Local rotations (N, 23, 3, 3) below root rotations (N, 3, 3).

    Args:
        root: rotations of the pelvis.
        joints: (N, 29, 3), or (N, 24, 3) where the end joints' own rotations do not matter.
        rest: rest joints, as many.
        twist: (N, 23, 2) cosine and sine, any length.
        adaptive: aim from the places reached.
    """
    parents, own = climb(prepare(root, joints, rest, twist, adaptive), adaptive)
    local = (product_matrices(parents, LEFT) * own[:, None]).sum(
        0
    )  # summed over rows: the conjugate's product
    return rotation_matrices(local).to(joints.dtype)


def match(root: Tensor, joints: Tensor, rest: Tensor, wanted: Tensor, adaptive: bool) -> Tensor:
    """Twists (N, 23, 2) that bring the solution nearest to wanted rotations; other arguments as in `solve`.

    Args:
        root: rotations of the pelvis.
        joints: target joints.
        rest: rest joints.
        wanted: (4, 23, N) quaternions of joints 1..23 in the pelvis' frame.
        adaptive: aim from the places reached.
    """
    none = torch.zeros(len(joints), 23, 2, dtype=joints.dtype, device=joints.device)
    problem = prepare(root, joints, rest, none, adaptive)
    targets, twists = wanted.split_with_sizes(_SIZES, 1), []

    def twisted(number: int, swung: Tensor) -> Tensor:
        opposite = unit((problem.levels[number].turns[4:8] * swung).sum(1))  # swung, then twisted by pi
        cos, sin = (swung * targets[number]).sum(0), (opposite * targets[number]).sum(0)
        twist = torch.stack((cos * cos - sin * sin, 2 * cos * sin)) / (cos * cos + sin * sin)
        twists.append(twist.to(joints.dtype))  # children make up for its rounding
        cos, sin = half_angle(twists[-1].double())
        return unit(cos * swung + sin * opposite)

    climb(problem, adaptive, twisted)
    return torch.cat(twists, dim=1).permute(2, 1, 0)


def prepare(root: Tensor, joints: Tensor, rest: Tensor, twist: Tensor, adaptive: bool) -> Problem:
    """What is known before the recursion; arguments as in `solve`."""
    wanted, still, device = _columns(joints), _columns(rest), rest.device
    wanted = (_columns(root)[:, :, None] * (wanted - wanted[:, :1])).sum(1)
    points = torch.cat((wanted, still))
    end = points.index_select(1, constant(_CHILDREN if len(rest[0]) > 24 else _CHILDREN24, device))
    bone = (end - points[:, 1:24]).view(2, 3, 23, -1)
    square = (bone * bone).sum(1)
    inverse = square.clamp_min(ZERO_LENGTH**2).rsqrt()
    naive, along = (bone * inverse[:, None]).unbind(0)
    real = square > ZERO_LENGTH**2
    known = (real[0] & real[1]).double()
    naive, length = naive * known, square[1] * inverse[1]
    along = torch.where(real[1], along, constant(((1.0,), (0.0,), (0.0,)), device, torch.float64)[..., None])
    ends = torch.stack((end[:3], end[:3] - naive * length))
    turns = _turns(along, _columns(twist))
    swings = turns[:0] if adaptive else _swings(turns, naive)
    parts = (x.split_with_sizes(_SIZES, -2) for x in (turns, swings, length, ends, naive, known * GUARD**2))
    free, above = (still.index_select(1, constant(some, device)) for some in (_FREE, _FREE_ABOVE))
    tolerance = (8 * torch.finfo(joints.dtype).eps) ** 2
    return Problem([Level(*level) for level in zip(*parts, strict=True)], free - above, tolerance)


def climb(
    problem: Problem, adaptive: bool, finish: Callable[[int, Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Quaternions of the parents and of joints 1..23 in the pelvis' frame, (4, 23, N) each.

    Args:
        problem: what is known beforehand.
        adaptive: aim from the places reached.
        finish: changes a level's quaternions, given its number, before the next one starts from them.
    """
    levels, offsets, tolerance = problem
    own = torch.zeros_like(levels[0].turns[0])
    own[0] = 1
    place = offsets[:, :3]
    parents, chain = [], []
    for number, level in enumerate(levels):
        parent = _pick(own, _ABOVE[number])
        aim = _aim(level, place) if adaptive else level.naive
        products = _toward(level.turns, parent, aim) if adaptive else (level.swings * parent).sum(1)
        own = _whole(products, tolerance)
        own = finish(number, own) if finish else own
        parents.append(parent)
        chain.append(own)
        if adaptive and number + 1 < len(levels):
            ends = torch.addcmul(place, level.length, aim)
            if number + 1 == _BRANCH:
                place = torch.cat((ends, place[:, -1:] + turned(own[:, -1:], offsets[:, 3:])), dim=1)
            else:
                place = _pick(ends, _ABOVE[number + 1])
    return torch.cat(parents, dim=1), torch.cat(chain, dim=1)


def _aim(level: Level, place: Tensor) -> Tensor:
    """Directions from the places reached to the bones' ends, or the naive ones where they are far apart."""
    gap = level.ends - place
    wanted, apart = (gap * gap).sum(1).unbind(0)
    aim = gap[0] * wanted.clamp_min(ZERO_LENGTH**2).rsqrt()
    return torch.where(apart <= level.reach, aim, level.naive)


def _swings(turns: Tensor, aim: Tensor) -> Tensor:
    """Matrices (8, 4, J, N) of `_toward` for directions (3, J, N) that are known beforehand."""
    across = turns.index_select(0, constant(_CROSS, turns.device)).view(4, 3, *turns.shape[1:])
    return torch.cat((turns[:4] + (across * aim[:, None]).sum(1), turns[12:]))


def _toward(turns: Tensor, parent: Tensor, aim: Tensor) -> Tensor:
    """Quaternions (4, K, N) from parents to directions (3, K, N), of any length, and those of half turns."""
    products = (turns * parent).sum(1)
    across = products.index_select(0, constant(_CROSS, turns.device)).view(4, *aim.shape)
    return torch.cat((products[:4] + (across * aim).sum(1), products[12:]))


def _whole(products: Tensor, tolerance: float) -> Tensor:
    """Unit quaternions (4, K, N) of `_toward`'s: the half turns where the others have no length."""
    own, half = products[:4], products[4:]
    square = (own * own).sum(0)
    return torch.where(square > tolerance, own * square.clamp_min(tolerance).rsqrt(), half)


def _turns(along: Tensor, twist: Tensor) -> Tensor:
    """Matrices (16, 4, J, N) that multiply from the right by t, b t, -b t and a normal to b."""
    (cos, sin), none = half_angle(twist), torch.zeros_like(along[:1])
    x, y = normal(along.detach())
    return product_matrices(torch.cat((cos, sin * along, -sin, cos * along, none, x, y, none)), _RIGHTS)


def _columns(x: Tensor) -> Tensor:
    """(N, J, C) to (C, J, N) in double precision."""
    return x.permute(2, 1, 0).to(torch.float64, memory_format=torch.contiguous_format)


def _pick(above: Tensor, index: tuple[int, ...]) -> Tensor:
    """Joints of the level above; consecutive ones, all but those of the root and of spine3, are a view."""
    if index[-1] - index[0] == len(index) - 1:
        return above if len(index) == above.shape[1] else above.narrow(1, index[0], len(index))
    return above.index_select(1, constant(index, above.device))
