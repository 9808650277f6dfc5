"""The object's target told as the equivalent pose that is nearest to what the network predicts.

An object that looks the same in several poses has as many sets of keypoints. The one nearest to the
prediction is chosen for each sample, without gradient, so the loss is the least over the object's symmetries
and the same whichever of them the annotator chose.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.camera import project, unproject
from rhobin.geometry.precision import full_precision
from rhobin.methods.khor.net import KhorOutput
from rhobin.methods.symmetry import Symmetries, choose
from rhobin.types import Batch, ObjectTarget, required

SAME = 1e-6  # of a rotation's entries: less is the identity
NEAR = 1e-3  # metres; what is nearer counts as behind the camera


@torch.no_grad()
@full_precision
def nearest_target(
    pred: KhorOutput,
    batch: Batch,
    symmetries: Symmetries,
    template_kpts: Float[Tensor, "O 8 3"],
    depth_range: float,
) -> Batch:
    """The batch with its object told in the frame of the symmetry that suits the prediction best.

    The predicted keypoints are taken to the true pelvis's depth, and the symmetry with the least sum of
    squared distances to them is chosen. Samples whose label is nearest already stay bit for bit.

    Args:
        pred: network output.
        batch: with the object's pose and keypoints in heatmap coordinates.
        symmetries: of the objects.
        template_kpts: keypoints of the templates, metres.
        depth_range: metres that heatmap depth spans.
    """
    pose = required(batch.target.object, "the object")
    drawn = required(batch.target.heatmaps, "the target heatmaps")
    size, origin = batch.image.shape[-1], origin_depth(batch)
    uvd = required(pred.object, "the keypoints").uvd
    seen = unproject((uvd[..., :2] + 0.5) * size, origin[:, None] + uvd[..., 2] * depth_range, batch.K_crop)

    kpts, centre = template_kpts[batch.object_id], symmetries.centre[batch.object_id][:, None]
    y = (seen - pose.t[:, None]) @ pose.R - centre
    S, s = choose(y.mT @ (kpts - centre), batch.object_id, symmetries)
    told = posed(pose, S, s, kpts)
    changed = ((S - torch.eye(3, device=S.device)).abs().amax((1, 2)) > SAME)[:, None]
    coordinates, weight = in_heatmap(told.kpts, origin, batch.K_crop, depth_range, size)
    heatmaps = replace(
        drawn,
        kpts_uvd=torch.where(changed[..., None], coordinates, required(drawn.kpts_uvd, "the keypoints")),
        kpts_weight=torch.where(changed, weight, required(drawn.kpts_weight, "the keypoints' weight")),
    )
    return replace(batch, target=replace(batch.target, object=told, heatmaps=heatmaps))


def origin_depth(batch: Batch) -> Float[Tensor, " B"]:
    """Depth that heatmap depth is counted from: the pelvis's, or the object's where nobody is known."""
    human, pose = batch.target.human, batch.target.object
    return human.joints[:, 0, 2] if human else required(pose, "the object").t[:, 2]


def posed(
    pose: ObjectTarget,
    S: Float[Tensor, "B 3 3"],
    s: Float[Tensor, "B 3"],
    kpts: Float[Tensor, "B 8 3"],
) -> ObjectTarget:
    """The equivalent pose R S, R s + t and where it puts the template's keypoints."""
    R, t = pose.R @ S, (pose.R @ s[..., None])[..., 0] + pose.t
    return replace(pose, R=R, t=t, kpts=kpts @ R.mT + t[:, None])


def in_heatmap(
    points: Float[Tensor, "B K 3"],
    origin: Float[Tensor, " B"],
    K: Float[Tensor, "B 3 3"],
    depth_range: float,
    size: int,
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K"]]:
    """Points as (u, v, d), and 1 for those that a heatmap can represent, as the data draw them."""
    depth = points[..., 2:].clamp(min=NEAR)
    uv = torch.as_tensor(project(torch.cat([points[..., :2], depth], dim=-1), K)) / size - 0.5
    uvd = torch.cat([uv, (points[..., 2:] - origin[:, None, None]) / depth_range], dim=-1)
    inside = ((uvd >= -0.5) & (uvd < 0.5)).all(-1) & (points[..., 2] > NEAR)
    return uvd, inside.float()
