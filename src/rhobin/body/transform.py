"""SMPL parameters seen from another frame."""

from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision


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
