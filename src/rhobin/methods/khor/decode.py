"""From KHOR's keypoints to a posed body and a placed object (report sec. 3.3.1, mesh conversion).

The network sees (u, v) in the crop and depth from the pelvis, so the pelvis's own depth is missing. It
follows from the known camera and the predicted shape: first the depth at which the bones have the body's
lengths, then, once inverse kinematics has made the bones exact, the translation that best explains (u, v).
Without a person it is the depth at which the object's keypoints are as far apart as the template's.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.body.from_joints import pose_body
from rhobin.body.joints import PARENTS29
from rhobin.geometry.align import rigid_align
from rhobin.geometry.camera import solve_translation
from rhobin.methods.khor.net import KEYPOINTS, KhorOutput
from rhobin.nets.heatmap import Keypoints, precision
from rhobin.nets.lifting import Lifting
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction, required

NEAREST_PELVIS = 0.3  # metres
BONES = tuple((joint, parent) for joint, parent in enumerate(PARENTS29) if joint)
PAIRS = tuple((a, b) for a in range(KEYPOINTS) for b in range(a))


class BodyParts(NamedTuple):
    """What a body is posed from.

    Attributes:
        joints: 29 joints in heatmap coordinates.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, any length.
        gender: (B,) index into `GENDERS`.
    """

    joints: Keypoints
    beta: Float[Tensor, "B 10"]
    twist: Float[Tensor, "B 23 2"]
    gender: Int[Tensor, " B"]


def decode(
    output: KhorOutput,
    lifting: Lifting,
    gender: Int[Tensor, " B"],
    object_id: Int[Tensor, " B"],
    bodies: BodySet,
    template_kpts: Float[Tensor, "O 8 3"],
    adaptive: bool = False,
) -> Prediction:
    """Bodies and objects of a batch from the network's output, as far as it has them.

    Args:
        output: network output.
        lifting: of the crops.
        gender: (B,) index into `GENDERS`.
        object_id: (B,) index of the object's template.
        bodies: body models.
        template_kpts: (O, 8, 3) keypoints of the templates, metres.
        adaptive: whether inverse kinematics follows the body's own bones, see `hybrik`.

    Returns:
        Prediction in the camera frame, metres, with mean hands and object scale 1.
    """
    human, pelvis = None, None
    if output.human is not None:
        beta, twist = required(output.beta, "the shape"), required(output.twist, "the twists")
        human, pelvis = decode_body(BodyParts(output.human, beta, twist, gender), lifting, bodies, adaptive)
    if output.object is None:
        return Prediction(human)
    return Prediction(human, decode_object(output.object, lifting, template_kpts[object_id], pelvis))


def decode_body(
    parts: BodyParts, lifting: Lifting, bodies: BodySet, adaptive: bool
) -> tuple[HumanPrediction, Float[Tensor, " B"]]:
    """Posed bodies of a batch, and the depths (B,) of their pelvises; arguments and frame as in `decode`."""
    (uvd, sigma), beta, twist, gender = parts
    weight = precision(sigma)
    pelvis = distances_depth(parts.joints, lifting, bodies.rest29(beta, gender), BONES)
    posed = pose_body(lifting.points(uvd, pelvis), beta, twist, gender, bodies, weight, adaptive)[1]
    place = solve_translation(posed - posed[:, :1], lifting.pixels(uvd), lifting.K, weight)
    pelvis = place[:, 2].clamp(min=NEAREST_PELVIS)
    joints = lifting.points(uvd, pelvis)
    theta, _, trans = pose_body(joints, beta, twist, gender, bodies, weight, adaptive)
    return HumanPrediction(theta, beta, trans, joints), pelvis


def decode_object(
    seen: Keypoints,
    lifting: Lifting,
    kpts: Float[Tensor, "B 8 3"],
    pelvis: Float[Tensor, " B"] | None,
) -> ObjectPrediction:
    """The rigid fit (Kabsch, scale 1) of templates to their keypoints.

    Args:
        seen: keypoints in heatmap coordinates.
        lifting: of the crops.
        kpts: (B, 8, 3) keypoints of the templates, metres.
        pelvis: (B,) depth that the coordinates count from, metres; None where no person tells it.
    """
    if pelvis is None:
        pelvis = distances_depth(seen, lifting, kpts, PAIRS)
    points = lifting.points(seen.uvd, pelvis)
    return ObjectPrediction(*rigid_align(kpts, points, precision(seen.sigma), scale=False), points)


def distances_depth(
    seen: Keypoints,
    lifting: Lifting,
    rest: Float[Tensor, "B K 3"],
    pairs: tuple[tuple[int, int], ...],
) -> Float[Tensor, " B"]:
    """Pelvis depth at which the weighted sum of squared distances of pairs is that of the rest points.

    A point lies at `ray (z + depth)`, so a distance's vector is linear in the pelvis depth z and the sum a
    quadratic; its larger root is the answer.

    Args:
        seen: points in heatmap coordinates.
        lifting: of the crops.
        rest: (B, K, 3) the same points of a body or a template, metres.
        pairs: of points.

    Returns:
        (B,) depth in metres, at least 0.3.
    """
    one, other = torch.tensor(pairs, device=rest.device).T
    rays, weight = lifting.rays(seen.uvd), precision(seen.sigma)
    offset = rays * (seen.uvd[..., 2:] * lifting.depth_range)
    along, offset = rays[:, one] - rays[:, other], offset[:, one] - offset[:, other]
    length = (rest[:, one] - rest[:, other]).square().sum(-1)
    share = weight[:, one] * weight[:, other]
    a = (share * along.square().sum(-1)).sum(1).clamp(min=1e-9)
    b = (share * (along * offset).sum(-1)).sum(1)
    c = (share * (offset.square().sum(-1) - length)).sum(1)
    root = (b.square() - a * c).clamp(min=0).sqrt()
    return ((root - b) / a).clamp(min=NEAREST_PELVIS)
