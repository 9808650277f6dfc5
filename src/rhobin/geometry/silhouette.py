"""Silhouettes of a mesh in many poses, and how a sum over their pixels changes with the pose.

A silhouette S is drawn hard, by rays or by pytorch3d. A sum of a weight over it changes as its outline moves
(Reynolds' transport theorem): ``d/dp sum_S w = integral over the outline of w (n . dx/dp)``, x on the
outline, n its outward normal. The outline of a drawn silhouette is made of sides of pixels, each of length
one with a normal along an axis, and the point of the mesh that the inner pixel of a side shows moves as the
outline there does. So the change is a sum over sides, of a pull times the movement of projected points, which
autograd follows. Nothing is blurred, and only the triangles at the outline cost anything.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from rhobin.geometry.backend import backend, rasterise
from rhobin.geometry.raycast import Hits, Scene, camera_rays

SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Steps to the four neighbours of a pixel: rows, columns."""


@dataclass(frozen=True)
class Drawn:
    """One mesh drawn in B poses by one camera.

    Attributes:
        covered: (B, H, W) whether a pixel shows the mesh.
        depth: (B, H, W) depth in metres of what a pixel shows; inf where it shows nothing.
        face: (B, H, W) the triangle that it shows; -1 for none.
        weights: (B, H, W, 3) of the triangle's corners.
    """

    covered: Bool[Tensor, "B H W"]
    depth: Float[Tensor, "B H W"]
    face: Int[Tensor, "B H W"]
    weights: Float[Tensor, "B H W 3"]


class RigidMesh:
    """A mesh that is drawn in many poses.

    Without pytorch3d the rays are turned, not the mesh: Embree sorts its triangles once.

    Args:
        verts: (V, 3) vertices at rest, metres.
        faces: (F, 3) triangles.
    """

    def __init__(self, verts: np.ndarray, faces: np.ndarray) -> None:
        self.verts, self.faces = verts, faces
        self.scene = Scene([(verts, faces)]) if backend().name == "cpu" else None

    def draw(
        self,
        R: Float[Tensor, "B 3 3"],
        t: Float[Tensor, "B 3"],
        scale: Float[Tensor, " B"],
        K: Float[np.ndarray, "3 3"],
        size: int,
    ) -> Drawn:
        """The mesh at ``scale R x + t``; no gradient reaches the pose.

        Args:
            R: (B, 3, 3) rotations, mesh to camera.
            t: (B, 3) translations, metres.
            scale: (B,) sizes.
            K: (3, 3) intrinsics of a square image.
            size: its width in pixels.
        """
        turns, shifts, sizes = (value.detach().cpu().double().numpy() for value in (R, t, scale))
        if self.scene is None:
            posed = [
                s * self.verts @ turn.T + shift for turn, shift, s in zip(turns, shifts, sizes, strict=True)
            ]
            hits = [rasterise([(verts, self.faces)], K, size, size) for verts in posed]
            met = Hits(*(np.concatenate([getattr(hit, f.name) for hit in hits]) for f in fields(Hits)))
        else:
            rays = camera_rays(K, size, size).reshape(-1, 3)
            origins = -(shifts[:, None] @ turns)[:, 0] / sizes[:, None]
            directions = rays @ (turns / sizes[:, None, None])
            met = self.scene.cast(np.repeat(origins, len(rays), axis=0), directions.reshape(-1, 3))
        shape = (len(turns), size, size)
        shown = np.where(met.geom_id < 0, -1, met.prim_id).astype(np.int64)
        face, depth, weights = (
            torch.from_numpy(value).reshape(*shape, *value.shape[1:]).to(R.device)
            for value in (shown, met.distance, met.barycentric)
        )
        return Drawn(face >= 0, depth, face, weights)


def shown_points(
    drawn: Drawn, rest: Float[Tensor, "V 3"], faces: Int[Tensor, "F 3"], where: Bool[Tensor, "B H W"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, "N 3"]]:
    """What some covered pixels show, as points of the mesh at rest.

    Args:
        drawn: the drawn poses.
        rest: (V, 3) the mesh before it was posed.
        faces: (F, 3) its triangles.
        where: (B, H, W) N covered pixels.

    Returns:
        Which pose each of the N pixels belongs to, and (N, 3) the points.
    """
    corners = rest[faces[drawn.face[where]]]
    pose = where.nonzero()[:, 0]
    return pose, (corners * drawn.weights[where].to(rest)[..., None]).sum(-2)


def outline_pull(covered: Bool[Tensor, "B H W"], weight: Float[Tensor, "B H W"]) -> Float[Tensor, "B H W 2"]:
    """How a weighted sum over silhouettes changes as their pixels move right and down.

    Args:
        covered: (B, H, W) the silhouettes.
        weight: (B, H, W) what a covered pixel adds to the sum.

    Returns:
        (B, H, W, 2) at the outline the sum over its free sides of weight times normal; 0 elsewhere.
        Sides at the border of the image are not free: what lies beyond adds nothing.
    """
    pull = torch.zeros(*covered.shape, 2, dtype=weight.dtype, device=weight.device)
    for down, right in SIDES:
        inner, outer = _sides(down, right)
        free = covered[inner] & ~covered[outer]
        share = torch.where(free, (weight[inner] + weight[outer]) / 2, 0)
        pull[..., 0][inner] += right * share
        pull[..., 1][inner] += down * share
    return pull


def dilated(
    image: Float[Tensor, "B H W"], kernel: int
) -> tuple[Float[Tensor, "B H W"], Int[Tensor, "B H W"]]:
    """Images whose pixels take the largest value in a square about them, and where they take it from.

    Args:
        image: (B, H, W).
        kernel: odd width of the square.

    Returns:
        The images, and (B, H, W) row times width plus column of the source.
    """
    grown, source = functional.max_pool2d(image[:, None], kernel, 1, kernel // 2, return_indices=True)
    return grown[:, 0], source[:, 0]


def dilated_pull(
    covered: Bool[Tensor, "B H W"],
    grown: Bool[Tensor, "B H W"],
    source: Int[Tensor, "B H W"],
    weight: Float[Tensor, "B H W"],
) -> Float[Tensor, "B H W 2"]:
    """`outline_pull` of dilated silhouettes, told at the pixels that they were grown from.

    Args:
        covered: (B, H, W) the silhouettes, whole.
        grown: (B, H, W) the part of them that is seen, dilated.
        source: (B, H, W) from `dilated`.
        weight: (B, H, W) what a pixel of the dilated silhouette adds to the sum.

    Returns:
        (B, H, W, 2) as `outline_pull`. A part that ends where something hides it does not move there.
    """
    height, width = covered.shape[1:]
    flat = covered.flatten(1)
    pull = torch.zeros(*flat.shape, 2, dtype=weight.dtype, device=weight.device)
    for down, right in SIDES:
        inner, outer = _sides(down, right)
        pose, row, column = (grown[inner] & ~grown[outer]).nonzero().unbind(1)
        share = ((weight[inner] + weight[outer]) / 2)[pose, row, column]
        origin = source[inner][pose, row, column]
        moves = ~flat[pose, origin + down * width + right]
        step = torch.tensor([right, down], dtype=weight.dtype, device=weight.device)
        pull.index_put_((pose[moves], origin[moves]), share[moves, None] * step, accumulate=True)
    return pull.unflatten(1, (height, width))


def _sides(down: int, right: int) -> tuple[tuple, tuple]:
    """The pixels of images that have a neighbour in a direction, and these neighbours, as indices."""
    before, after = slice(None, -1), slice(1, None)
    pairs = {1: (before, after), -1: (after, before), 0: (slice(None), slice(None))}
    (row, next_row), (column, next_column) = pairs[down], pairs[right]
    return (..., row, column), (..., next_row, next_column)
