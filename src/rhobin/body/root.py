"""The rotation of the pelvis from its three bones."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import ZERO_LENGTH, length, perpendicular, project_to_so3, unit


@full_precision
def root_rotation(joints: Float[Tensor, "*B N 3"], rest: Float[Tensor, "*B N 3"]) -> Float[Tensor, "*B 3 3"]:
    """Rotation of the pelvis that best turns its three rest bones (hips, spine) into the target's.

    HybrIK's test-time rule. Its training rule takes the spine and then the mean of the hips, which lies so
    near the pelvis that 5 mm of joint noise turn the body by 14 degrees (docs/decisions/0021).

    Args:
        joints: target joints, the first four of SMPL at least, metres.
        rest: rest joints, metres.

    Returns:
        Proper rotations; finite but arbitrary where the bones do not span a plane.
    """
    return fitted(joints, rest).to(joints.dtype)


@full_precision
def spine_root_rotation(
    joints: Float[Tensor, "*B N 3"], rest: Float[Tensor, "*B N 3"]
) -> Float[Tensor, "*B 3 3"]:
    """Rotation of the pelvis that takes the spine exactly, then the middle of the hips about it.

    HybrIK's training rule, in closed form and without its failure at half turns.

    Args:
        joints: target joints, the first four of SMPL at least, metres.
        rest: rest joints, metres.

    Returns:
        Proper rotations; finite but arbitrary where the hips lie on the spine's line.
    """
    return spine_first(joints, rest).to(joints.dtype)


def fitted(joints: Tensor, rest: Tensor) -> Tensor:
    """`root_rotation` in double precision."""
    joints, rest = joints[..., :4, :].double(), rest[..., :4, :].double()
    bones, still = (x[..., 1:, :] - x[..., :1, :] for x in (joints, rest))
    return project_to_so3(bones.mT @ still)


def spine_first(joints: Tensor, rest: Tensor) -> Tensor:
    """`spine_root_rotation` in double precision."""
    shape = torch.broadcast_shapes(joints.shape[:-2], rest.shape[:-2])
    points = torch.stack([x[..., :4, :].double().expand(*shape, 4, 3) for x in (joints, rest)])
    pelvis, left, right, spine = points.unbind(-2)
    along = unit(spine - pelvis)
    hips = left + right - 2 * pelvis
    across = hips - (hips * along).sum(-1, keepdim=True) * along
    size = length(across)
    across = torch.where(size > ZERO_LENGTH, across / size.clamp_min(ZERO_LENGTH), perpendicular(along))
    frames = torch.stack((along, across, torch.linalg.cross(along, across)), dim=-1)
    return frames[0] @ frames[1].mT
