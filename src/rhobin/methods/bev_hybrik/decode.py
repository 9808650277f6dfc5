"""From BEV-HybrIK's output to a posed body: depth from the centre maps, the body from inverse kinematics."""

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.body.from_joints import pose_body
from rhobin.geometry.camera import solve_translation
from rhobin.geometry.depth_bins import DepthBins
from rhobin.methods.bev_hybrik.net import BevHybrikOutput
from rhobin.nets.heatmap import precision
from rhobin.nets.lifting import Lifting
from rhobin.types import HumanPrediction

NEAREST_PELVIS = 0.3  # metres
ROUNDS = 2


def pelvis_depth(place: Float[Tensor, "B 3"], lifting: Lifting, bins: DepthBins) -> Float[Tensor, " B"]:
    """Depth in metres (B,) of centres among the bins of the crop's volume."""
    return bins.depth(place[:, 0], lifting.K[:, 0, 0] / lifting.size).clamp(min=NEAREST_PELVIS)


class BodyParts(NamedTuple):
    """What a body is posed from.

    Attributes:
        uvd: (B, 29, 3) joints in heatmap coordinates, d from the pelvis.
        sigma: (B, 29) their uncertainty in the same unit.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, any length.
        depth: (B,) of the pelvis, metres.
    """

    uvd: Float[Tensor, "B 29 3"]
    sigma: Float[Tensor, "B 29"]
    beta: Float[Tensor, "B 10"]
    twist: Float[Tensor, "B 23 2"]
    depth: Float[Tensor, " B"]


def parts_of(output: BevHybrikOutput, lifting: Lifting, bins: DepthBins) -> BodyParts:
    """What an output says of the body, with the depth that its centre maps tell."""
    depth = pelvis_depth(output.place, lifting, bins)
    return BodyParts(*output.human, output.beta, output.twist, depth)


def decode_body(
    parts: BodyParts, lifting: Lifting, gender: Int[Tensor, " B"], bodies: BodySet
) -> HumanPrediction:
    """Pose the bodies of a batch.

    The depth of the centre maps makes points of the joints. Inverse kinematics gives their bones the right
    lengths, and then the translation that best puts the joints on their pixels corrects the depth (HybrIK's
    `update_scale`, for a known camera). That is done `ROUNDS` times: each leaves about a quarter of an error
    of depth.

    Args:
        parts: of the bodies.
        lifting: of the batch's crops.
        gender: (B,) index into `GENDERS`.
        bodies: body models.

    Returns:
        Metres, camera frame of the crops.
    """
    weight, pixels, depth = precision(parts.sigma), lifting.pixels(parts.uvd), parts.depth
    for _ in range(ROUNDS):
        joints = lifting.points(parts.uvd, depth)
        _, posed, _ = pose_body(joints, parts.beta, parts.twist, gender, bodies, weight)
        place = solve_translation(posed - posed[:, :1], pixels, lifting.K, weight)
        depth = place[:, 2].clamp(min=NEAREST_PELVIS)
    joints = lifting.points(parts.uvd, depth)
    theta, _, trans = pose_body(joints, parts.beta, parts.twist, gender, bodies, weight)
    return HumanPrediction(theta, parts.beta, trans, joints)
