"""A body's surface as a few thousand points that are posed without the mesh.

A point between three vertices is a weighted mean of them, and so are its blend shapes and its skinning
weights: posing the points themselves takes as much of the work as they are of the vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from rhobin.body.bodyset import BodySet
from rhobin.body.joints import SMPL_BODY_NAMES
from rhobin.body.model import BodyModel
from rhobin.geometry.mesh import face_areas, vertex_normals
from rhobin.geometry.precision import full_precision
from rhobin.types import GENDERS

PARTS = (
    *("head", "torso", "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm"),
    *("left_hand", "right_hand", "left_thigh", "right_thigh", "left_shin", "right_shin"),
    *("left_foot", "right_foot"),
)
"""Parts that a body's surface is divided into, by the joint that moves each place most."""

_MOVES = {
    **dict.fromkeys(("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"), "torso"),
    **dict.fromkeys(("neck", "head"), "head"),
    **{f"{side}_{joint}": f"{side}_{part}" for side in ("left", "right") for joint, part in (
        ("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "hand"), ("hip", "thigh"),
        ("knee", "shin"), ("ankle", "foot"), ("foot", "foot"))},
}  # fmt: skip
BODY_JOINTS = 21  # whose pose correctives are kept: those of fingers move a surface by less than a millimetre


class PosedPoints(NamedTuple):
    """Points of posed surfaces.

    Attributes:
        points: (B, M, 3) metres.
        normals: (B, M, 3) unit vectors, outward.
        joints: (B, J, 3) joints, metres.
    """

    points: Float[Tensor, "B M 3"]
    normals: Float[Tensor, "B M 3"]
    joints: Float[Tensor, "B J 3"]


class SurfacePoints(nn.Module):
    """The same points on the body of every gender, evenly spread over the first one's rest surface.

    Buffers are non-persistent, and its own: it stays where it is when the `BodySet` moves.

    Args:
        bodies: body models.
        count: number of points.
        seed: of where the points lie inside their triangles.

    Attributes:
        part: (M,) index into `PARTS` of each point.
        spacing: metres between neighbours, about: the root of the area for each point.
    """

    part: Int64[Tensor, " M"]
    slots: Tensor
    template: Tensor
    normals: Tensor
    shapedirs: Tensor
    posedirs: Tensor
    weights: Tensor
    joint_template: Tensor
    joint_shapedirs: Tensor

    def __init__(self, bodies: BodySet, count: int, seed: int = 0) -> None:
        super().__init__()
        models = list(bodies)
        faces = bodies.faces.cpu().numpy()
        corners, shares, area = spread(_rest(models[0]), faces, count, np.random.default_rng(seed))
        self.spacing = float(np.sqrt(area / count))
        self.tree = models[0].tree
        weights = [_mixed(model.skin.matrix().toarray(), corners, shares) for model in models]
        tables = {
            "template": [_mixed(_rest(model), corners, shares) for model in models],
            "normals": [_rest_normals(model, faces, corners, shares) for model in models],
            "shapedirs": [_blends(model.shapedirs.cpu().numpy(), corners, shares) for model in models],
            "posedirs": [
                _blends(model.pose_blend.matrix()[:, : 9 * BODY_JOINTS].toarray(), corners, shares)
                for model in models
            ],
            "weights": weights,
            "joint_template": [model.joint_template.cpu().numpy() for model in models],
            "joint_shapedirs": [model.joint_shapedirs.cpu().numpy() for model in models],
        }
        for name, rows in tables.items():
            self.register_buffer(name, torch.from_numpy(np.stack(rows)).float(), persistent=False)
        order = [model.gender for model in models]
        slots = torch.tensor([order.index(g) if g in order else -1 for g in GENDERS])
        self.register_buffer("slots", slots, persistent=False)
        moved_by = torch.from_numpy(weights[0].argmax(axis=1))
        self.register_buffer("part", part_of_joint(models[0])[moved_by], persistent=False)

    @full_precision
    def forward(
        self,
        theta: Float[Tensor, "B J 3 3"],
        beta: Float[Tensor, "B 10"],
        trans: Float[Tensor, "B 3"],
        gender: Int64[Tensor, " B"],
    ) -> PosedPoints:
        """Pose the points; arguments as of `BodyModel.forward`, and the bodies' genders."""
        slot = self.slots[gender]
        rows, parts = [], []
        for index in range(len(self.template)):
            members = (slot == index).nonzero().squeeze(-1)
            if len(members):
                rows.append(members)
                parts.append(self._pose(index, theta[members], beta[members], trans[members]))
        back = torch.cat(rows).argsort()
        return PosedPoints(*(torch.cat(values)[back] for values in zip(*parts, strict=True)))

    def _pose(self, model: int, theta: Tensor, beta: Tensor, trans: Tensor) -> PosedPoints:
        rest = self.joint_template[model] + torch.einsum("jck,bk->bjc", self.joint_shapedirs[model], beta)
        rotations, joints = self.tree(theta, rest)
        joints = joints + trans[:, None]
        offset = joints[..., None] - rotations @ rest[..., None]
        feature = (theta[:, 1 : 1 + BODY_JOINTS] - torch.eye(3).to(theta)).flatten(1)
        moved = beta @ self.shapedirs[model].T + feature @ self.posedirs[model].T
        shaped = self.template[model] + moved.unflatten(1, (-1, 3))
        blended = self.weights[model] @ torch.cat((rotations, offset), dim=-1).flatten(2)
        blended = blended.unflatten(2, (3, 4))
        points = (blended[..., :3] @ shaped[..., None]).squeeze(-1) + blended[..., 3]
        normals = (blended[..., :3] @ self.normals[model][..., None]).squeeze(-1)
        return PosedPoints(points, nn.functional.normalize(normals, dim=-1), joints)


def part_of_joint(model: BodyModel) -> Int64[Tensor, " J"]:
    """Index (J,) into `PARTS` of what each joint moves; fingers move hands, face joints the head."""
    parts: list[int] = []
    for joint, parent in enumerate(model.tree.parents.tolist()):
        named = joint < len(SMPL_BODY_NAMES)
        parts.append(PARTS.index(_MOVES[SMPL_BODY_NAMES[joint]]) if named else parts[parent])
    return torch.tensor(parts)


def spread(
    verts: Float[np.ndarray, "V 3"], faces: Int64[np.ndarray, "F 3"], count: int, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, "M 3"], Float[np.ndarray, "M 3"], float]:
    """Points spread over a surface, each triangle getting its share of them by area.

    Returns:
        Vertices (M, 3) of the points' triangles, the weights (M, 3) of these corners, and the surface's area.
    """
    cumulative = np.cumsum(face_areas(verts, faces))
    at = (np.arange(count) + 0.5) / count * cumulative[-1]
    chosen = faces[np.searchsorted(cumulative, at, side="right").clip(max=len(faces) - 1)]
    root, split = np.sqrt(rng.random(count)), rng.random(count)
    shares = np.stack([1 - root, root * (1 - split), root * split], axis=1)
    return chosen, shares, float(cumulative[-1])


def _rest(model: BodyModel) -> np.ndarray:
    """Rest vertices (V, 3)."""
    return model.template.view(-1, 3).double().cpu().numpy()


def _mixed(values: np.ndarray, corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Weighted means (M, ...) of values (V, ...) at the corners."""
    return np.einsum("mk,mk...->m...", shares, values[corners])


def _blends(values: np.ndarray, corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The same of blend shapes (3 V, P), which list a vertex's coordinates one after the other."""
    return _mixed(values.reshape(-1, 3, values.shape[1]), corners, shares).reshape(-1, values.shape[1])


def _rest_normals(model: BodyModel, faces: np.ndarray, corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    normals = _mixed(vertex_normals(_rest(model), faces), corners, shares)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(min=1e-9)
