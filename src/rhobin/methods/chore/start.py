"""From fields to a first body and a first object: points of both surfaces, and what they say of the whole.

The paper starts from FrankMocap's body. Here a mean body is turned and placed so that its parts
lie where the fields have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from rhobin.body.surface_points import PARTS, SurfacePoints
from rhobin.geometry.align import rigid_align
from rhobin.geometry.camera import unproject
from rhobin.geometry.rotation import project_to_so3, unit
from rhobin.methods.chore.net import HEADS, Values
from rhobin.methods.chore.space import Space

Query = Callable[[Tensor, Sequence[str]], Values]
"""Asks a network's fields at scaled points (B, N, 3), those of the named heads."""

SCALES = (0.2, 5.0)  # of a scene; others are of fields that know nothing yet
FEWEST = 1e-3  # of the points; a part with a smaller share has no place


class Found(NamedTuple):
    """Points of both surfaces and what they say, in the scaled space; without gradient.

    Attributes:
        points: (B, 2, N, 3) about the person and about the object.
        on: (B, 2, N) 1 where a point lies on the surface, else 0.
        part: (B, N, 14) probabilities of the person's points.
        centre: (B, 2, 3) pelvis and object.
        R: (B, 3, 3) the object's rotation.
    """

    points: Float[Tensor, "B 2 N 3"]
    on: Float[Tensor, "B 2 N"]
    part: Float[Tensor, "B N P"]
    centre: Float[Tensor, "B 2 3"]
    R: Float[Tensor, "B 3 3"]


class Body(NamedTuple):
    """Posed bodies: rotations (B, 52, 3, 3), shapes (B, 10) and SMPL's translations (B, 3), metres."""

    theta: Tensor
    beta: Tensor
    trans: Tensor


def find_surfaces(
    query: Query, space: Space, count: int, steps: int, reach: float, near: float, generator: torch.Generator
) -> Found:
    """Move random points onto both surfaces, and collect what they say.

    Args:
        query: asks the fields.
        space: of the crops.
        count: points for each surface.
        steps: moves; each is one evaluation, and the answer another.
        reach: metres before and behind the pelvis where points begin.
        near: distance in metres at which a point counts as on the surface.
        generator: source of randomness, on the CPU: the same seeds for every sample.
    """
    points = seeds(space, count, reach, generator)
    for _ in range(steps):
        points.requires_grad_(True)
        distance = both(query(points, ["distance"])["distance"], count)
        (slope,) = torch.autograd.grad(distance.sum(), points)
        points = (points - distance.flatten(1)[..., None] * unit(slope)).detach()
    said = query(points, tuple(HEADS))
    on = (both(said["distance"], count).detach() < near).float()
    pelvis = mean(said["centre"][:, 0, :, :count].mT, on[:, 0])
    middle = mean(said["centre"][:, 1, :, count:].mT, on[:, 1])
    axes = mean(said["axes"][..., count:].flatten(1, 2).mT, on[:, 1]).unflatten(1, (3, 3))
    pelvis = pelvis + F.pad(space.depth[:, None], (2, 0))
    return Found(
        points.unflatten(1, (2, count)),
        on,
        said["part"][..., :count].mT.softmax(-1).detach(),
        torch.stack([pelvis, pelvis + middle], 1).detach(),
        project_to_so3(axes.mT.detach()),
    )


def seeds(space: Space, count: int, reach: float, generator: torch.Generator) -> Float[Tensor, "B M 3"]:
    """Points (B, 2 count, 3) anywhere in the crops, the same for person and object."""
    drawn = torch.rand(count, 3, generator=generator).repeat(2, 1).to(space.K)
    pixels = (drawn[:, :2] * space.size - 0.5).expand(len(space.K), -1, -1)
    depth = space.depth[:, None] + (2 * drawn[:, 2] - 1) * reach
    return unproject(pixels, depth, space.K)


def both(distance: Float[Tensor, "B 2 M"], count: int) -> Float[Tensor, "B 2 N"]:
    """Distances of the first points to the person and of the others to the object."""
    return torch.stack([distance[:, 0, :count], distance[:, 1, count:]], 1)


def mean(values: Float[Tensor, "B N C"], weight: Float[Tensor, "B N"]) -> Float[Tensor, "B C"]:
    """Weighted means (B, C); plain ones where no weight is left."""
    weight = torch.where(weight.sum(1, keepdim=True) > 0, weight, torch.ones_like(weight))
    return (values * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)


def place_body(
    found: Found,
    space: Space,
    surface: SurfacePoints,
    pose: tuple[Float[Tensor, "B 52 3 3"], Float[Tensor, "B 10"]],
    gender: Int64[Tensor, " B"],
    turn: bool,
) -> Body:
    """Bodies placed, and turned if asked, so that their parts lie where the fields have them.

    The scale between a body and the scaled space, which the parts' distances tell, is how far away it is.

    Args:
        found: points of the person with their parts.
        space: of the crops.
        surface: points of the bodies.
        pose: local rotations and shapes.
        gender: (B,) index into `GENDERS`.
        turn: whether to choose the orientation; else the given one stays.
    """
    theta, beta = pose[0].clone(), pose[1]
    posed = surface(theta, beta, torch.zeros_like(beta[:, :3]), gender)
    share = F.one_hot(surface.part, len(PARTS)).float()
    own = share.T @ posed.points / share.sum(0)[:, None].clamp(min=1)
    weight = found.part * found.on[:, 0, :, None]
    total = weight.sum(1)
    seen = weight.mT @ found.points[:, 0] / total.clamp(min=1e-6)[..., None]
    total = total * (total > FEWEST * total.sum(1, keepdim=True)) * (share.sum(0) > 0)
    R, _, scale = rigid_align(own, seen, total, scale=True)
    if turn:
        theta[:, 0] = R @ theta[:, 0]
    pelvis = found.centre[:, 0] / scale.clamp(*SCALES)[:, None]
    return Body(theta, beta, pelvis - posed.joints[:, 0])
