"""Body parameters, joints and twists of the same body seen from another frame, or in a mirror."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import MIRROR24, MIRROR29, SMPLH_MIRROR
from rhobin.geometry.precision import full_precision

_MIRRORS = {len(mirror): mirror for mirror in (MIRROR24, MIRROR29, SMPLH_MIRROR)}


@full_precision
def change_camera(
    root_R: Float[Tensor, "*B 3 3"],
    trans: Float[Tensor, "*B 3"],
    pelvis: Float[Tensor, "*B 3"],
    R: Float[Tensor, "*b 3 3"],
    t: Float[Tensor, "*c 3"],
) -> tuple[Float[Tensor, "*B 3 3"], Float[Tensor, "*B 3"]]:
    """Root rotation and translation of the same body after ``X' = R X + t``.

    SMPL rotates about the rest pelvis J0(beta) and adds its translation afterwards, so the translation does
    not move like a point: ``trans' = R (J0 + trans) + t - J0``.

    Args:
        root_R: root rotation in the old frame.
        trans: SMPL translation in the old frame, metres.
        pelvis: rest pelvis J0 for the body's shape, metres (`BodyModel.rest_joints`, joint 0).
        R: rotation from the old to the new frame, one for all or one per body.
        t: translation from the old to the new frame, metres.

    Returns:
        Root rotation and translation in the new frame.
    """
    moved = (R @ (pelvis + trans)[..., None]).squeeze(-1) + t
    return R @ root_R, moved - pelvis


def in_plane_rotation(angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Rotation of the camera frame that turns the image by `angle` radians, from x towards y.

    That is clockwise on the screen. For parameters give it to `change_camera`, for joints multiply; twists
    and shape do not change.
    """
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = (cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1)
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


@full_precision
def flip_parameters(
    theta: Float[Tensor, "*B J 3 3"], trans: Float[Tensor, "*B 3"], pelvis: Float[Tensor, "*B 3"]
) -> tuple[Float[Tensor, "*B J 3 3"], Float[Tensor, "*B 3"]]:
    """Rotations and translation of the mirror image at x = 0 of the camera frame.

    The shape stays. A body whose template is not symmetric has no exact mirror image; its mirrored pelvis is
    then met exactly and the rest as well as its asymmetry allows.

    Args:
        theta: local rotations of 24 or 52 joints.
        trans: SMPL translation, metres.
        pelvis: rest pelvis J0 for the body's shape, metres.

    Returns:
        Rotations and translation.
    """
    sign = theta.new_tensor([-1.0, 1, 1])
    swapped = theta[..., list(_mirror(theta.shape[-3])), :, :]
    return sign[:, None] * swapped * sign, sign * (pelvis + trans) - pelvis


def flip_points(points: Float[Tensor, "*B N 3"]) -> Float[Tensor, "*B N 3"]:
    """24, 29 or 52 joints of the mirror image at x = 0, metres."""
    return points[..., list(_mirror(points.shape[-2])), :] * points.new_tensor([-1.0, 1, 1])


def flip_twist(twist: Float[Tensor, "*B 23 2"]) -> Float[Tensor, "*B 23 2"]:
    """Twists (cos, sin) of joints 1..23 of the mirror image."""
    order = [joint - 1 for joint in MIRROR24[1:]]
    return twist[..., order, :] * twist.new_tensor([1.0, -1])


def flip_weight(weight: Float[Tensor, "*B N"]) -> Float[Tensor, "*B N"]:
    """Weights of 24, 29 or 52 joints, or of the 23 twists, of the mirror image."""
    if weight.shape[-1] == 23:
        return weight[..., [joint - 1 for joint in MIRROR24[1:]]]
    return weight[..., list(_mirror(weight.shape[-1]))]


def _mirror(joints: int) -> tuple[int, ...]:
    if joints not in _MIRRORS:
        raise ValueError(f"expected 24, 29 or 52 joints, found {joints}")
    return _MIRRORS[joints]
