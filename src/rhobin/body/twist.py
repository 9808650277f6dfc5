"""How far a joint turns about its own bone."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import CHILD29, JOINTS24
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import ZERO_LENGTH, rotmat_to_quat

UNDEFINED = 1e-7  # squared cosine of half the swing; below it (swing beyond 179.96 degrees) no twist is told
_CHILDREN = list(CHILD29[1:24])
_JOINTS = list(JOINTS24[1:])


@full_precision
def twist_about(
    rotation: Float[Tensor, "*B 3 3"], bone: Float[Tensor, "*B 3"]
) -> tuple[Float[Tensor, "*B 2"], Float[Tensor, "*B"]]:
    """Twist of a rotation about a bone: R = swing * twist, with the smallest swing that moves the bone.

    With the quaternion (w, v) of R, the twist is the quaternion (w, (v . b) b): no angle is computed.

    Args:
        rotation: local rotations.
        bone: rest bones, any length.

    Returns:
        (cos, sin) of the twist and a weight: 0 where it is undefined (half-turn swings, bones of no length;
        cos and sin are then 1 and 0), else 1.
    """
    dtype, bone = rotation.dtype, bone.double()
    length = bone.norm(dim=-1, keepdim=True)
    quat = rotmat_to_quat(rotation.double())
    w = quat[..., 0]
    along = (quat[..., 1:] * bone / length.clamp_min(ZERO_LENGTH)).sum(-1)
    square = w * w + along * along
    defined = (square > UNDEFINED) & (length.squeeze(-1) > ZERO_LENGTH)
    square = torch.where(defined, square, torch.ones_like(square))
    cos = torch.where(defined, (w * w - along * along) / square, torch.ones_like(w))
    sin = torch.where(defined, 2 * w * along / square, torch.zeros_like(w))
    return torch.stack((cos, sin), dim=-1).to(dtype), defined.to(dtype)


@full_precision
def twist_targets(
    theta: Float[Tensor, "*B J 3 3"], rest29: Float[Tensor, "*B 29 3"]
) -> tuple[Float[Tensor, "*B 23 2"], Float[Tensor, "*B 23"]]:
    """Twists of joints 1..23 of the 24 challenge joints, the targets of HybrIK's twist head.

    Args:
        theta: local rotations of SMPL-H's 52 joints, or of SMPL's 24.
        rest29: rest positions of the 29 joints for each body's shape, metres.

    Returns:
        (cos, sin) and weights as in `twist_about`. HybrIK (Li et al. 2021) sec. 3.2.
    """
    joints = _JOINTS if theta.shape[-3] > 24 else list(range(1, 24))
    bones = rest29[..., _CHILDREN, :] - rest29[..., 1:24, :]
    return twist_about(theta[..., joints, :, :], bones)
