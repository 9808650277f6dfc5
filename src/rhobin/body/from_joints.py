"""A posed body from its joints: inverse kinematics, then the place that fits them best."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.body.ik import hybrik
from rhobin.body.joints import JOINTS24, LEAF_PARENTS
from rhobin.geometry.precision import full_precision

_JOINTS24 = list(JOINTS24)


@full_precision
def pose_body(
    joints: Float[Tensor, "B 29 3"],
    beta: Float[Tensor, "B 10"],
    twist: Float[Tensor, "B 23 2"],
    gender: Int[Tensor, " B"],
    bodies: BodySet,
    weight: Float[Tensor, "B 29"] | None = None,
    adaptive: bool = False,
) -> tuple[Float[Tensor, "B 52 3 3"], Float[Tensor, "B 29 3"], Float[Tensor, "B 3"]]:
    """Rotations by inverse kinematics, the joints they give, and the translation that fits them best.

    Args:
        joints: (B, 29, 3) HybrIK joints, metres.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, any length.
        gender: (B,) index into `GENDERS`.
        bodies: body models.
        weight: (B, 29) weight of each joint in the translation; None for equal weights.
        adaptive: whether inverse kinematics follows the body's own bones, see `hybrik`.

    Returns:
        theta (B, 52, 3, 3) with mean hands; posed joints (B, 29, 3) and translation (B, 3), metres, in the
        frame of `joints`.
    """
    if weight is None:
        weight = torch.ones_like(joints[..., 0])
    rest = bodies.rest29(beta, gender)
    theta = hybrik(joints, rest, twist, bodies.mean_hands(gender), adaptive=adaptive)
    leaves = torch.eye(3, dtype=theta.dtype, device=theta.device).expand(len(theta), len(LEAF_PARENTS), 3, 3)
    _, at_origin = bodies.tree29(torch.cat((theta[:, _JOINTS24], leaves), dim=1), rest)
    share = (weight / weight.sum(1, keepdim=True))[..., None]
    trans = ((joints - at_origin) * share).sum(1)
    return theta, at_origin + trans[:, None], trans
