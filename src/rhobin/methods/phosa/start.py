"""The object's pose from its mask (PHOSA sec. 3.2): many rotations, each moved to fit the silhouette."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation
from torch import Tensor

from rhobin.geometry.rot6d import rot6d_to_rotmat, rotmat_to_rot6d
from rhobin.geometry.silhouette import RigidMesh, dilated, dilated_pull, outline_pull, shown_points
from rhobin.methods.phosa.place import pixels_of, place_by_box
from rhobin.methods.phosa.region import Region

FAR = 100.0  # metres: the release's renderer shows nothing behind it


@dataclass(frozen=True)
class StartSettings:
    """How the object's pose is looked for.

    Attributes:
        rotations: uniform random rotations to begin with.
        refined: those with the least loss, which are then moved.
        together: how many are moved at a time.
        steps: Adam's steps.
        lr: Adam's rate.
        edge: weight of the distance between edges.
        offscreen: weight of what lies outside the region.
        kernel: width in pixels of the square that edges are found with.
        seed: of the rotations, which are the same for every view.
    """

    rotations: int
    refined: int
    together: int
    steps: int
    lr: float
    edge: float
    offscreen: float
    kernel: int
    seed: int = 0


@dataclass(frozen=True)
class Shape:
    """A template as it is drawn: mesh, vertices (V, 3), triangles (F, 3), the vertices of its convex hull."""

    mesh: RigidMesh
    verts: Tensor
    faces: Tensor
    hull: Tensor

    @classmethod
    def of(cls, verts: np.ndarray, faces: np.ndarray) -> Shape:
        """The shape of a mesh: vertices (V, 3) in metres, triangles (F, 3)."""
        hull = torch.from_numpy(verts[ConvexHull(verts).vertices]).float()
        return cls(RigidMesh(verts, faces), torch.from_numpy(verts).float(), torch.from_numpy(faces), hull)


def find_pose(
    shape: Shape, region: Region, box: Tensor, K: Tensor, settings: StartSettings
) -> tuple[Tensor, Tensor]:
    """The best pose that was met: rotation (3, 3) and translation (3,), metres, camera frame.

    Args:
        shape: of the object.
        region: about its mask.
        box: (4,) of the mask, pixels of the crop.
        K: (3, 3) intrinsics of the crop.
        settings: how to look.
    """
    turns = Rotation.random(settings.rotations, random_state=np.random.default_rng(settings.seed)).as_matrix()
    R = torch.from_numpy(turns).float()
    t = place_by_box(shape.hull @ R.mT, box, K)
    losses = torch.cat(
        [silhouette_loss(shape, region, r, s, settings)[0] for r, s in _parts(R, t, settings.together)]
    )
    best = losses.argsort(stable=True)[: settings.refined]
    found = [_moved(shape, region, r, s, settings) for r, s in _parts(R[best], t[best], settings.together)]
    _, R, t = min(found, key=lambda one: float(one[0]))
    return R, t


def silhouette_loss(
    shape: Shape, region: Region, R: Tensor, t: Tensor, settings: StartSettings
) -> tuple[Tensor, Tensor]:
    """The loss (B,) of poses, and a number whose gradient is that of their sum.

    Lengths are told in 256ths of the region, whose masks are 256 pixels wide in the paper.
    """
    unit = 256 / region.size
    drawn = shape.mesh.draw(R, t, torch.ones(len(R)), region.K.numpy(), region.size)
    image = region.keep * drawn.covered
    grown, source = dilated(image, settings.kernel)
    cost = settings.edge * (256 * region.far).sqrt()
    values = ((image - region.mask).square() + (grown - image) * cost).sum((1, 2)) * unit**2
    flip = (region.keep * (1 - 2 * region.mask - cost)).expand_as(image)
    pull = outline_pull(drawn.covered, flip)
    pull += dilated_pull(drawn.covered, grown > 0, source, cost.expand_as(image))
    where = (pull != 0).any(-1) & drawn.covered
    pose, points = shown_points(drawn, shape.verts, shape.faces, where)
    pixels = pixels_of((R[pose] @ points[..., None]).mT + t[pose][:, None], region.K)[:, 0]
    beyond = settings.offscreen * offscreen(shape.verts @ R.mT + t[:, None], region)
    return (values + beyond).detach(), (pull[where] * pixels).sum() * unit**2 + beyond.sum()


def offscreen(verts: Tensor, region: Region) -> Tensor:
    """How far vertices (B, V, 3) lie outside the region, in its half-widths, or the depths drawn: (B,)."""
    ahead = verts[..., 2:].clamp(min=1e-3)
    pixels = pixels_of(torch.cat((verts[..., :2], ahead), dim=-1), region.K)
    place = 2 * (pixels + 0.5) / region.size - 1
    out = (place.abs() - 1).clamp(min=0).sum(-1)
    depth = verts[..., 2]
    return (out + (-depth).clamp(min=0) + (depth - FAR).clamp(min=0)).sum(1)


def _moved(
    shape: Shape, region: Region, R: Tensor, t: Tensor, settings: StartSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """The least loss that some poses come to, with its rotation and translation."""
    turn, place = rotmat_to_rot6d(R).requires_grad_(), t.clone().requires_grad_()
    adam = torch.optim.Adam([turn, place], lr=settings.lr)
    best = (torch.tensor(torch.inf), R[0], t[0])
    for step in range(settings.steps + 1):
        now = rot6d_to_rotmat(turn)
        losses, slope = silhouette_loss(shape, region, now, place, settings)
        least = int(losses.argmin())
        if losses[least] < best[0]:
            best = (losses[least], now[least].detach().clone(), place[least].detach().clone())
        if step < settings.steps:
            adam.zero_grad()
            slope.backward()
            adam.step()
    return best


def _parts(R: Tensor, t: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    return list(zip(R.split(size), t.split(size), strict=True))
