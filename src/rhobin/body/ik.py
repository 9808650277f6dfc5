"""From 29 joints and twists to rotations: HybrIK's analytic inverse kinematics, naive and adaptive."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from rhobin.body.compatible import reference_rotations
from rhobin.body.joints import JOINTS24_OF, LEAF_PARENTS, SMPL_PARENTS
from rhobin.body.root import fitted, root_rotation, spine_first, spine_root_rotation
from rhobin.body.solver import match, solve
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import rotmat_to_quat

__all__ = ["hybrik", "hybrik24", "limb_rotations", "matching_twists", "root_rotation", "spine_root_rotation"]

_ROOTS = {"fit": fitted, "spine": spine_first}
_ENDS = sorted(LEAF_PARENTS)  # joints whose bones end in leaves


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
    with _bookkeeping(joints, rest, twist):
        pelvis = _ROOTS[root](joints, rest)
    turns = _below(pelvis, joints, rest, twist, adaptive)
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
    return _below(root, joints29, rest29, twist, adaptive)


def _compatible(joints: Tensor, rest: Tensor, twist: Tensor, ends: Tensor | None, adaptive: bool) -> Tensor:
    batch = joints.shape[:-2]
    joints, rest, twist = (
        x.expand(*batch, *x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in (joints, rest, twist)
    )
    ends = None if ends is None else ends.reshape(-1, 5, 3, 3)
    return reference_rotations(joints, rest, twist, ends, adaptive).reshape(*batch, 24, 3, 3)


@full_precision
@torch.no_grad()
def matching_twists(
    theta: Float[Tensor, "*B J 3 3"],
    joints29: Float[Tensor, "*B 29 3"],
    rest29: Float[Tensor, "*B 29 3"],
    *,
    adaptive: bool = False,
    root: Literal["fit", "spine"] = "fit",
) -> Float[Tensor, "*B 23 2"]:
    """Twists with which inverse kinematics of these very joints comes nearest to given rotations.

    `twist_targets` measures against the bones that the rotations make. Where a swing nears half a turn, its
    axis turns 1 / cos(swing / 2) times as far as the bone, and joints rounded to single precision no longer
    fit those twists. These are measured against the joints as they are (docs/decisions/0026).

    Args:
        theta: local rotations of SMPL-H's 52 joints, or of SMPL's 24.
        joints29: the joints, with their rounding or noise, metres.
        rest29: rest joints, metres.
        adaptive: as the solver that will read the twists.
        root: as the solver that will read the twists.

    Returns:
        (cos, sin) of joints 1..23.
    """
    shape = joints29.shape[:-2]
    joints, rest = joints29.reshape(-1, 29, 3), rest29.expand_as(joints29).reshape(-1, 29, 3)
    local = theta[..., list(JOINTS24_OF[theta.shape[-3]]), :, :].reshape(-1, 24, 3, 3).double()
    pelvis = _ROOTS[root](joints, rest)
    turned = [pelvis.mT @ local[:, 0]]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        turned.append(turned[parent] @ local[:, joint])
    wanted = rotmat_to_quat(torch.stack(turned[1:])).permute(2, 0, 1)
    return match(pelvis, joints, rest, wanted, adaptive).reshape(*shape, 23, 2)


def _below(root: Tensor, joints: Tensor, rest: Tensor, twist: Tensor, adaptive: bool) -> Tensor:
    shape = joints.shape[:-2]
    if not shape == rest.shape[:-2] == twist.shape[:-2] or len(shape) != 1:
        shape = torch.broadcast_shapes(shape, rest.shape[:-2], twist.shape[:-2])
        joints, rest, twist, root = (
            x.expand(*shape, *x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in (joints, rest, twist, root)
        )
    with _bookkeeping(root, joints, rest, twist):
        limbs = solve(root, joints, rest, twist, adaptive)
    local = torch.cat((root[:, None].to(joints.dtype), limbs), dim=1)
    return local.reshape(*shape, 24, 3, 3)


def _bookkeeping(*inputs: Tensor) -> AbstractContextManager:
    """Inference mode where no gradient is asked for: its operations start a fifth faster.

    What is made inside goes through `torch.cat` outside, which returns an ordinary tensor.
    """
    tracked = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
    if tracked or torch.compiler.is_compiling() or forward_ad._current_level >= 0:
        return nullcontext()
    return torch.inference_mode()
