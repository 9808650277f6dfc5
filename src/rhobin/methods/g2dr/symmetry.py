"""One symmetry for each sample, shared by coordinates, regions, pose and discriminator.

A pose (R, t) looks like (R S, R s + t) for every symmetry S, s of the object. Heads that each took their own
best symmetry could learn frames that contradict each other, so one S is chosen for the sample, without
gradient, and the whole target is told in that frame.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.methods.g2dr.shapes import Shapes
from rhobin.types import Batch, ObjectMaps, ObjectTarget, required

SAME = 1e-6  # of a rotation's entries: less is the identity


@full_precision
def agreement(
    R: Float[Tensor, "B 3 3"], nocs: Float[Tensor, "B 3 h w"], batch: Batch, shapes: Shapes
) -> tuple[Float[Tensor, "B 3 3"], Float[Tensor, "B 3 3"]]:
    """What a symmetry should agree with: the predicted coordinates, and the predicted rotation.

    The symmetry S with the largest <S, A> has the least mean squared distance between predicted and true
    coordinates over the visible pixels; the one with the largest <S, P> between the points of the surface
    turned by the predicted and by the true rotation. Both are in square metres, so they can be added.

    Args:
        R: (B, 3, 3) predicted rotation.
        nocs: (B, 3, h, w) predicted coordinates.
        batch: with the true pose and maps.
        shapes: of the objects.

    Returns:
        A and P.
    """
    maps, target = (
        required(batch.target.maps, "the object's maps"),
        required(batch.target.object, "the object"),
    )
    centre, extent = maps.box[:, 0, :, None], maps.box[:, 1, :, None]
    origin = shapes.symmetries.centre[batch.object_id][..., None]
    weight = maps.visible.flatten(1)[:, None]
    true = (maps.nocs.flatten(2) - 0.5) * extent + centre - origin
    seen = (nocs.detach().flatten(2) - 0.5) * extent + centre - origin
    A = (weight * true) @ seen.mT / weight.sum(-1, keepdim=True).clamp(min=1)
    return A, target.R.mT @ R.detach() @ shapes.spread[batch.object_id]


@full_precision
def relabelled(batch: Batch, S: Float[Tensor, "B 3 3"], s: Float[Tensor, "B 3"], shapes: Shapes) -> Batch:
    """The batch with its target told in the frames of symmetries.

    Args:
        batch: with the object's pose and maps.
        S: (B, 3, 3) rotation of each sample's symmetry.
        s: (B, 3) its translation.
        shapes: of the objects.
    """
    target = batch.target
    maps, pose = required(target.maps, "the object's maps"), required(target.object, "the object")
    maps = _maps_in(maps, S, s, shapes.regions[batch.object_id])
    return replace(batch, target=replace(target, maps=maps, object=_pose_in(pose, S, s)))


def _pose_in(pose: ObjectTarget, S: Tensor, s: Tensor) -> ObjectTarget:
    """R S and R s + t; the keypoints, which nothing here reads, are left as they are."""
    return replace(pose, R=pose.R @ S, t=(pose.R @ s[..., None])[..., 0] + pose.t)


def _maps_in(maps: ObjectMaps, S: Tensor, s: Tensor, centres: Tensor) -> ObjectMaps:
    """Coordinates S^-1 (x - s) and their regions; those of samples that keep their frame stay bit for bit."""
    rows = ((S - torch.eye(3, device=S.device)).abs().amax((1, 2)) > SAME).nonzero()[:, 0]
    centre, extent = maps.box[rows, 0, :, None], maps.box[rows, 1, :, None]
    points = (maps.nocs[rows].flatten(2) - 0.5) * extent + centre
    points = S[rows].mT @ (points - s[rows][..., None])
    told = ((points - centre) / extent + 0.5).unflatten(-1, maps.nocs.shape[2:])
    near = centres[rows]
    gaps = near.square().sum(-1)[:, None] - 2 * points.mT @ near.mT  # without what all centres share
    labels = 1 + gaps.min(dim=-1).indices.unflatten(-1, maps.region.shape[1:])
    inside = maps.amodal[rows] > 0
    nocs, region = maps.nocs.clone(), maps.region.clone()
    nocs[rows] = torch.where(inside[:, None], told, nocs[rows])
    region[rows] = torch.where(inside, labels, region[rows])
    return replace(maps, nocs=nocs, region=region)
