"""From 29 joints and twists to rotations: HybrIK's analytic inverse kinematics, naive and adaptive.

Every joint but the root turns as swing times twist: the swing takes its rest bone to the wanted one, the
twist turns about the bone. In world axes a swing is two half turns, about the bone where its parent leaves
it and about the half vector h between that and the wanted direction. The first joins the twist (a turn by
another pi), which is known beforehand for all joints at once, so a level of the tree costs one product and
one half turn: ``G = (2 h h^T - 1) G_parent Twist(phi + pi)``.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.compatible import GUARD, reference_rotations
from rhobin.body.joints import CHILD29, LEAF_PARENTS, SMPL_PARENTS, depth_levels
from rhobin.body.root import root_rotation, spine_root_rotation
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import ZERO_LENGTH, circle, skew

__all__ = ["hybrik", "hybrik24", "limb_rotations", "root_rotation", "spine_root_rotation"]

_ENDS = sorted(LEAF_PARENTS)  # joints whose bones end in leaves
_LEVELS = depth_levels(SMPL_PARENTS)
_ORDER = [joint for level in _LEVELS[1:] for joint in level]
_PLACE = [_ORDER.index(joint) for joint in range(1, 24)]
# Where, in the level above, the parents of each level's joints stand.
_ABOVE = [[above.index(SMPL_PARENTS[joint]) for joint in level] for above, level in pairwise(_LEVELS)]


class _Bones(NamedTuple):
    """What is known of every joint's bone before the recursion; joints first, in the order of levels."""

    frame: Tensor  # (23, N, 3, 6) turned twist, rest direction, a normal to it, offset from the parent
    length: Tensor  # (23, N, 1) of the rest bone
    end: Tensor  # (23, N, 3) wanted place of the bone's end
    naive: Tensor  # (23, N, 3) wanted direction from the wanted joints; zero where there is none


@full_precision
def hybrik(
    joints29: Float[Tensor, "*B 29 3"],
    rest29: Float[Tensor, "*B 29 3"],
    twist: Float[Tensor, "*B 23 2"],
    hands: Float[Tensor, "*H 30 3 3"] | None = None,
    *,
    adaptive: bool = False,
    knuckles: bool = False,
    root: Literal["fit", "spine"] = "fit",
    detach: bool = False,
    compatible: bool = False,
) -> Float[Tensor, "*B 52 3 3"]:
    """Local SMPL-H rotations that pose a body like its joints.

    Exact for joints that forward kinematics made from the same rest joints, the hands apart. Options beyond
    `knuckles` are those of `hybrik24`.

    Args:
        joints29: target joints, metres, any origin.
        rest29: rest joints for the body's shape, metres.
        twist: (cos, sin) for joints 1..23, any length; (0, 0) means no twist.
        hands: local rotations of joints 22..51, one set for all or one per body; None for flat hands.
        adaptive: aim at the joints from where the body's own bones have led so far.
        knuckles: turn the first index knuckles (joints 22 and 37) as SMPL's hands, from the middle
            fingertips, as the challenge reads 72 numbers of SMPL; otherwise `hands` holds them too.
        root: rule for the pelvis.
        detach: keep gradients from the joints.
        compatible: follow the reference where it differs.

    Returns:
        Proper rotations for any input: bones of no length keep their rest direction.

    HybrIK (Li et al. 2021) sec. 3.3 and 3.4.
    """
    body = hybrik24(
        joints29, rest29, twist, adaptive=adaptive, root=root, detach=detach, compatible=compatible
    )
    if hands is None:
        hands = torch.eye(3, dtype=body.dtype, device=body.device).expand(30, 3, 3)
    hands = hands.expand(*body.shape[:-3], 30, 3, 3)
    if not knuckles:
        return torch.cat((body[..., :22, :, :], hands), dim=-3)
    left, right = hands[..., 1:15, :, :], hands[..., 16:, :, :]
    return torch.cat((body[..., :23, :, :], left, body[..., 23:, :, :], right), dim=-3)


@full_precision
def hybrik24(
    joints: Float[Tensor, "*B N 3"],
    rest: Float[Tensor, "*B N 3"],
    twist: Float[Tensor, "*B 23 2"],
    ends: Float[Tensor, "*B 5 3 3"] | None = None,
    *,
    adaptive: bool = False,
    root: Literal["fit", "spine"] = "fit",
    detach: bool = False,
    compatible: bool = False,
) -> Float[Tensor, "*B 24 3 3"]:
    """Local rotations of SMPL's 24 joints that pose a body like its joints.

    Args:
        joints: 29 target joints, or 24 where `ends` is given; metres, any origin.
        rest: rest joints, as many, metres.
        twist: (cos, sin) for joints 1..23, any length; (0, 0) means no twist.
        ends: local rotations of joints 10, 11, 15, 22 and 23, whose bones would end in leaves.
        adaptive: aim from the place that the body's own bones reach, so that errors of bone length do not add
            up; where that differs by more than 15 mm from the naive bone, the naive bone is taken.
        root: "fit" turns hips and spine rigidly (docs/decisions/0021); "spine" turns the spine exactly and
            then the middle of the hips about it.
        detach: let gradients reach twists and rest joints only, as HybrIK does in training.
        compatible: reproduce the reference with its rounding and its gradients, its root rule for the mode
            included; see `rhobin.body.compatible`.

    Returns:
        Local rotations, swing times twist for joints 1..23.

    Raises:
        ValueError: neither 29 joints nor 24 with `ends`.
    """
    if joints.shape[-2] != (29 if ends is None else 24):
        raise ValueError(
            f"expected 29 joints, or 24 with the rotations of the five end joints, found {joints.shape[-2]}"
        )
    joints = joints.detach() if detach else joints
    if compatible:
        return _compatible(joints, rest, twist, ends, adaptive)
    rule = root_rotation if root == "fit" else spine_root_rotation
    turns = _solve(rule(joints, rest), joints, rest, twist, adaptive)
    if ends is not None:
        turns = turns.clone()
        turns[..., _ENDS, :, :] = ends
    return turns


@full_precision
def limb_rotations(
    root: Float[Tensor, "*B 3 3"],
    joints29: Float[Tensor, "*B 29 3"],
    rest29: Float[Tensor, "*B 29 3"],
    twist: Float[Tensor, "*B 23 2"],
    adaptive: bool = False,
) -> Float[Tensor, "*B 24 3 3"]:
    """Local rotations of the 24 joints below a given rotation of the pelvis; the rest as in `hybrik24`."""
    return _solve(root, joints29, rest29, twist, adaptive)


def _compatible(joints: Tensor, rest: Tensor, twist: Tensor, ends: Tensor | None, adaptive: bool) -> Tensor:
    batch = joints.shape[:-2]
    joints, rest, twist = (
        x.expand(*batch, *x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in (joints, rest, twist)
    )
    ends = None if ends is None else ends.reshape(-1, 5, 3, 3)
    return reference_rotations(joints, rest, twist, ends, adaptive).reshape(*batch, 24, 3, 3)


def _solve(root: Tensor, joints: Tensor, rest: Tensor, twist: Tensor, adaptive: bool) -> Tensor:
    shape = torch.broadcast_shapes(joints.shape[:-2], rest.shape[:-2], twist.shape[:-2])
    joints, rest, twist, root = (
        x.expand(*shape, *x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in (joints, rest, twist, root)
    )
    bones = _prepare(joints.transpose(0, 1), rest.transpose(0, 1), twist.transpose(0, 1))
    above, place = root[None], joints[:, 0][None]
    parents, turned = [], []
    counts = [len(level) for level in _LEVELS[1:]]
    for index, *level_bones in zip(_ABOVE, *(part.split(counts) for part in bones), strict=True):
        level = _Bones(*level_bones)
        above = _pick(above, index)
        frame = above @ level.frame
        place = _pick(place, index) + frame[..., 5] if adaptive else place
        wanted = _adaptive(level, place) if adaptive else level.naive
        parents.append(above)
        above = _half_turn(frame, wanted)
        turned.append(above)
    local = torch.cat(parents).mT @ torch.cat(turned)
    local = torch.cat((root[None], local.index_select(0, _index(tuple(_PLACE), local.device))))
    return local.transpose(0, 1).reshape(*shape, 24, 3, 3)


def _prepare(joints: Tensor, rest: Tensor, twist: Tensor) -> _Bones:
    own, parent, child = (
        _index(tuple(index), rest.device)
        for index in (
            _ORDER,
            [SMPL_PARENTS[j] for j in _ORDER],
            [CHILD29[j] if CHILD29[j] < len(rest) else j for j in _ORDER],
        )
    )
    both = torch.stack((joints, rest), dim=-2)
    start, end = both.index_select(0, own), both.index_select(0, child)
    bones = end - start
    size = torch.linalg.vector_norm(bones, dim=-1, keepdim=True)
    real = size > ZERO_LENGTH
    known = real.all(-2, keepdim=True)
    naive, along = (bones / size.clamp_min(ZERO_LENGTH)).unbind(-2)
    identity = torch.eye(3, dtype=rest.dtype, device=rest.device)
    along = torch.where(real[..., 1, :], along, identity[0])
    cos, sin = circle(twist.index_select(0, own - 1))[..., None].split(1, dim=-2)
    outer = along[..., :, None] * along[..., None, :]
    turn = (1 + cos) * outer - cos * identity - sin * skew(along)
    steepest = along.detach().abs().argmin(dim=-1)[..., None, None].expand(*along.shape, 1)
    normal = (identity - outer).gather(-1, steepest)
    offset = start[..., 1, :] - rest.index_select(0, parent)
    frame = torch.cat((turn, along[..., None], normal, offset[..., None]), dim=-1)
    length = torch.where(known[..., 0, :], size[..., 1, :], torch.inf)  # no adaptive bone is near infinity
    return _Bones(frame, length, end[..., 0, :], torch.where(known[..., 0, :], naive, 0))


def _adaptive(bones: _Bones, place: Tensor) -> Tensor:
    """Directions from the places reached to the bones' ends, or the naive ones where they are far apart."""
    bone = bones.end - place
    distance = torch.linalg.vector_norm(bone, dim=-1, keepdim=True)
    apart = torch.linalg.vector_norm(bone - bones.naive * bones.length, dim=-1, keepdim=True)
    near = (apart <= GUARD) & (distance > ZERO_LENGTH)
    return torch.where(near, bone / distance.clamp_min(ZERO_LENGTH), bones.naive)


def _half_turn(frame: Tensor, wanted: Tensor) -> Tensor:
    """The half turn about the vector midway between a bone's direction and the wanted one, times the frame.

    The sum of two unit vectors is at right angles to their difference. Where they are nearly opposite,
    rounding spoils that, so the sum's part along the difference is removed. (For close ones the quotient is
    harmless.) No wanted direction leaves the bone where it is.
    """
    turned, along = frame[..., :3], frame[..., 3]
    middle, apart = along + wanted, along - wanted
    square = (middle * middle).sum(-1, keepdim=True)
    excess = (middle * apart).sum(-1, keepdim=True) / (4 - square).clamp_min(1.5)
    middle = torch.addcmul(middle, excess, apart, value=-1)
    opposite = square < (8 * torch.finfo(square.dtype).eps) ** 2
    middle = torch.where(opposite, frame[..., 4], middle)
    axis = (middle / torch.linalg.vector_norm(middle, dim=-1, keepdim=True))[..., None]
    return torch.addcmul(-turned, axis, (axis * turned).sum(-2, keepdim=True), value=2)


def _pick(above: Tensor, index: list[int]) -> Tensor:
    """Rows of the level above; consecutive ones are a view."""
    if index == list(range(index[0], index[0] + len(index))):
        return above.narrow(0, index[0], len(index))
    return torch.stack([above[i] for i in index])


def _index(values: tuple[int, ...], device: torch.device) -> Tensor:
    """Joint numbers as a tensor, made once per device so that no call waits for a copy."""
    return torch.tensor(values, device=device) if torch.compiler.is_compiling() else _kept(values, device)


@lru_cache
def _kept(values: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, device=device)
