"""From KHOR's keypoints to a posed body and a placed object (report sec. 3.3.1, mesh conversion).

The network sees (u, v) in the crop and depth from the pelvis, so the pelvis's own depth is missing. It
follows from the known camera and the predicted shape: first the depth at which the bones have the body's
lengths, then, once inverse kinematics has made the bones exact, the translation that best explains (u, v).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.body.from_joints import pose_body
from rhobin.body.joints import PARENTS29
from rhobin.geometry.align import rigid_align
from rhobin.geometry.camera import solve_translation, unproject
from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.heatmap import precision
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

NEAREST_PELVIS = 0.3


def decode(
    output: KhorOutput,
    K_crop: Float[Tensor, "B 3 3"],
    gender: Int[Tensor, " B"],
    object_id: Int[Tensor, " B"],
    bodies: BodySet,
    template_kpts: Float[Tensor, "O 8 3"],
    input_size: int,
    depth_range: float,
) -> Prediction:
    """Bodies and objects of a batch from the network's output.

    Args:
        output: network output.
        K_crop: (B, 3, 3) intrinsics of the crops, pixels.
        gender: (B,) index into `GENDERS`.
        object_id: (B,) index of the object's template.
        bodies: body models.
        template_kpts: (O, 8, 3) keypoints of the templates, metres.
        input_size: width of a crop in pixels.
        depth_range: metres that heatmap depth spans.

    Returns:
        Prediction in the camera frame, metres.
    """
    uv = (output.human.uvd[..., :2] + 0.5) * input_size
    rays, depth = pixel_rays(uv, K_crop), output.human.uvd[..., 2] * depth_range
    object_rays = pixel_rays((output.object.uvd[..., :2] + 0.5) * input_size, K_crop)
    object_depth = output.object.uvd[..., 2] * depth_range
    weight, object_weight = precision(output.human.sigma), precision(output.object.sigma)

    rest = bodies.rest29(output.beta, gender)
    pelvis = bone_length_depth(rays, depth, rest, weight)
    posed = pose_body(lift(rays, depth, pelvis), output.beta, output.twist, gender, bodies, weight)[1]
    relative = posed - posed[:, :1]
    pelvis = solve_translation(relative, uv, K_crop, weight)[:, 2].clamp(min=NEAREST_PELVIS)
    return keypoints_to_prediction(
        lift(rays, depth, pelvis),
        lift(object_rays, object_depth, pelvis),
        output.beta,
        output.twist,
        gender,
        object_id,
        bodies,
        template_kpts,
        weight,
        object_weight,
    )


def keypoints_to_prediction(
    joints: Float[Tensor, "B 29 3"],
    kpts: Float[Tensor, "B 8 3"],
    beta: Float[Tensor, "B 10"],
    twist: Float[Tensor, "B 23 2"],
    gender: Int[Tensor, " B"],
    object_id: Int[Tensor, " B"],
    bodies: BodySet,
    template_kpts: Float[Tensor, "O 8 3"],
    joints_weight: Float[Tensor, "B 29"] | None = None,
    kpts_weight: Float[Tensor, "B 8"] | None = None,
) -> Prediction:
    """Inverse kinematics of the joints and a rigid fit of the template's keypoints.

    Args:
        joints: (B, 29, 3) HybrIK joints, metres, camera frame.
        kpts: (B, 8, 3) object keypoints, same frame.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, any length.
        gender: (B,) index into `GENDERS`.
        object_id: (B,) index of the object's template.
        bodies: body models.
        template_kpts: (O, 8, 3) keypoints of the templates, metres.
        joints_weight: (B, 29) weight of each joint when the body is placed; None for equal weights.
        kpts_weight: (B, 8) weight of each keypoint in the rigid fit; None for equal weights.

    Returns:
        Prediction with mean hands and object scale 1.
    """
    theta, _, trans = pose_body(joints, beta, twist, gender, bodies, joints_weight)
    rotation, translation, scale = rigid_align(template_kpts[object_id], kpts, kpts_weight, scale=False)
    return Prediction(
        HumanPrediction(theta, beta, trans, joints), ObjectPrediction(rotation, translation, scale, kpts)
    )


def pixel_rays(uv: Float[Tensor, "B K 2"], K_crop: Float[Tensor, "B 3 3"]) -> Float[Tensor, "B K 3"]:
    """Points at unit depth behind pixels (B, K, 2), camera frame."""
    return unproject(uv, torch.ones_like(uv[..., 0]), K_crop)


def lift(
    rays: Float[Tensor, "B K 3"], depth: Float[Tensor, "B K"], pelvis: Float[Tensor, " B"]
) -> Float[Tensor, "B K 3"]:
    """Points on rays at depths counted from the pelvis, metres."""
    return rays * (pelvis[:, None] + depth)[..., None]


def bone_length_depth(
    rays: Float[Tensor, "B 29 3"],
    depth: Float[Tensor, "B 29"],
    rest: Float[Tensor, "B 29 3"],
    weight: Float[Tensor, "B 29"],
) -> Float[Tensor, " B"]:
    """Pelvis depth at which the weighted sum of squared bone lengths is the rest skeleton's.

    A joint lies at `ray (z + depth)`, so a bone is linear in the pelvis depth z and the sum a quadratic; its
    larger root is the answer.

    Returns:
        (B,) depth in metres, at least 0.3.
    """
    child = torch.arange(1, 29, device=rays.device)
    parent = torch.as_tensor(PARENTS29[1:], device=rays.device)
    along = rays[:, child] - rays[:, parent]
    offset = rays[:, child] * depth[:, child, None] - rays[:, parent] * depth[:, parent, None]
    length = (rest[:, child] - rest[:, parent]).square().sum(-1)
    share = weight[:, child] * weight[:, parent]
    a = (share * along.square().sum(-1)).sum(1).clamp(min=1e-9)
    b = (share * (along * offset).sum(-1)).sum(1)
    c = (share * (offset.square().sum(-1) - length)).sum(1)
    root = (b.square() - a * c).clamp(min=0).sqrt()
    return ((root - b) / a).clamp(min=NEAREST_PELVIS)
