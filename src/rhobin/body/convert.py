"""Poses and vertices of one body model as parameters of another."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import JOINTS24
from rhobin.geometry.rotation import project_to_so3

_KNUCKLES = [joint for joint in range(22, 52) if joint % 3 == 1]  # first joints of the ten fingers


def smpl_to_smplh(
    theta: Float[Tensor, "*B 24 3 3"], hands: Float[Tensor, "*H 30 3 3"] | None = None
) -> Float[Tensor, "*B 52 3 3"]:
    """SMPL's rotations on SMPL-H, as the RHOBIN evaluator reads 72 numbers.

    Args:
        theta: local rotations of SMPL.
        hands: local rotations of joints 22..51; None takes SMPL's hands as the first index knuckles (joints
            22 and 37) and leaves all other finger joints straight.

    Returns:
        Local rotations of SMPL-H.
    """
    if hands is None:
        hands = torch.eye(3, dtype=theta.dtype, device=theta.device).repeat(*theta.shape[:-3], 30, 1, 1)
        hands[..., [0, 15], :, :] = theta[..., 22:, :, :]
    hands = hands.expand(*theta.shape[:-3], 30, 3, 3)
    return torch.cat((theta[..., :22, :, :], hands), dim=-3)


def smplh_to_smpl(theta: Float[Tensor, "*B 52 3 3"], hands: str = "knuckle") -> Float[Tensor, "*B 24 3 3"]:
    """SMPL-H's rotations on SMPL, which has one joint for all fingers of a hand.

    Args:
        theta: local rotations of SMPL-H.
        hands: "knuckle" takes the first index knuckle, undoing `smpl_to_smplh`; "mean" the mean of the five
            first knuckles; "zero" none.

    Returns:
        Local rotations of SMPL.

    Raises:
        ValueError: another word for `hands`.
    """
    if hands == "knuckle":
        return theta[..., list(JOINTS24), :, :]
    if hands == "mean":
        fingers = theta[..., _KNUCKLES, :, :].unflatten(-3, (2, 5)).mean(-3)
        last = project_to_so3(fingers)
    elif hands == "zero":
        last = torch.eye(3, dtype=theta.dtype, device=theta.device).expand(*theta.shape[:-3], 2, 3, 3)
    else:
        raise ValueError(f"expected knuckle, mean or zero for the hands, found {hands!r}")
    return torch.cat((theta[..., :22, :, :], last), dim=-3)
