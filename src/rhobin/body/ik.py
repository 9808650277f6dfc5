"""From 29 joints and twists to rotations: HybrIK's naive analytic inverse kinematics on the SMPL-H tree."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import CHILD29, SMPL_PARENTS, depth_levels
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import axis_rotation, minimal_rotation, project_to_so3, unit

_CHILDREN = list(CHILD29[:24])
_LEVELS = [list(level) for level in depth_levels(SMPL_PARENTS)[1:]]
_ORDER = [0, *(joint for level in _LEVELS for joint in level)]
_SORTED = sorted(range(len(_ORDER)), key=_ORDER.__getitem__)
# Position, within the level above, of the parents of each level's joints.
_ABOVE = [
    [above.index(SMPL_PARENTS[joint]) for joint in level]
    for above, level in zip([[0], *_LEVELS], _LEVELS, strict=False)
]


@full_precision
def hybrik(
    joints29: Float[Tensor, "B 29 3"],
    rest29: Float[Tensor, "B 29 3"],
    twist: Float[Tensor, "B 23 2"],
    hands: Float[Tensor, "*H 30 3 3"],
) -> Float[Tensor, "B 52 3 3"]:
    """Local SMPL-H rotations that pose a body like its joints.

    Exact for joints that forward kinematics made from the same rest joints, the hands apart: joints 22 and
    37 and all fingers take their rotation from `hands`. Gradients reach joints, rest joints and twists;
    detach the joints for HybrIK's training behaviour.

    Args:
        joints29: target joints, metres, any origin.
        rest29: rest joints for the body's shape, metres.
        twist: (cos, sin) for joints 1..23, any length; (0, 0) means no twist.
        hands: local rotations of joints 22..51, one set for all or one per body.

    Returns:
        Proper rotations for any input: bones of no length keep their rest direction.

    HybrIK (Li et al. 2021) sec. 3.3, naive.
    """
    batch = len(joints29)
    root = root_rotation(joints29, rest29)
    body = limb_rotations(root, joints29, rest29, twist)[:, :22]
    return torch.cat((body, hands.expand(batch, 30, 3, 3)), dim=1)


@full_precision
def limb_rotations(
    root: Float[Tensor, "B 3 3"],
    joints29: Float[Tensor, "B 29 3"],
    rest29: Float[Tensor, "B 29 3"],
    twist: Float[Tensor, "B 23 2"],
) -> Float[Tensor, "B 24 3 3"]:
    """Local rotations of the 24 joints below a given root rotation, level by level.

    Args:
        root: rotation of the pelvis.
        joints29: target joints, metres.
        rest29: rest joints, metres.
        twist: (cos, sin) for joints 1..23, any length.

    Returns:
        Local rotations, swing times twist for joints 1..23.
    """
    rest_bones = rest29[:, _CHILDREN] - rest29[:, :24]
    bones = joints29[:, _CHILDREN] - joints29[:, :24]
    turns = _twist_rotations(rest_bones[:, 1:], twist)
    above, local = root[:, None], [root[:, None]]
    for level, parents in zip(_LEVELS, _ABOVE, strict=True):
        above = above[:, parents]
        wanted = (above.mT @ bones[:, level, :, None]).squeeze(-1)
        swing = minimal_rotation(rest_bones[:, level], wanted)
        local.append(swing @ turns[:, [joint - 1 for joint in level]])
        above = above @ local[-1]
    return torch.cat(local, dim=1)[:, _SORTED]


@full_precision
def root_rotation(
    joints29: Float[Tensor, "B 29 3"], rest29: Float[Tensor, "B 29 3"]
) -> Float[Tensor, "B 3 3"]:
    """Rotation of the pelvis that best turns its three rest bones (hips, spine) into the target's.

    HybrIK's test-time rule. Its training rule takes the spine and then the mean of the hips, which lies so
    near the pelvis that 5 mm of joint noise turn the body by 14 degrees (docs/decisions/0021).

    Args:
        joints29: target joints, metres.
        rest29: rest joints, metres.

    Returns:
        Proper rotations; finite but arbitrary where the bones do not span a plane.
    """
    bones, rest = (joints[:, 1:4] - joints[:, :1] for joints in (joints29, rest29))
    covariance = bones.mT @ rest
    size = torch.linalg.matrix_norm(covariance.detach(), keepdim=True)
    return project_to_so3(covariance / size.clamp_min(torch.finfo(size.dtype).tiny))


def _twist_rotations(bones: Tensor, twist: Tensor) -> Tensor:
    """Rotations about each bone by the angle of (cos, sin), normalised; (0, 0) is no turn."""
    length = (twist * twist).sum(-1, keepdim=True)
    defined = length > 0
    length = torch.where(defined, length, torch.ones_like(length)).sqrt()
    none = torch.zeros_like(twist)
    none[..., 0] = 1
    cos, sin = torch.where(defined, twist / length, none).unbind(-1)
    return axis_rotation(unit(bones), cos, sin)
