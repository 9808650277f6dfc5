"""A person as a skinned mesh: skeleton, weights, pose, motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rhobin.body.joints import SMPLH_NAMES, SMPLH_PARENTS
from rhobin.body.model import BodyModel
from rhobin.reports.gltf.correctives import Correctives, pose_correctives
from rhobin.reports.gltf.document import VERTICES, Document
from rhobin.reports.gltf.meshes import add_mesh
from rhobin.reports.gltf.motion import Motion, quaternions
from rhobin.reports.palette import PRED_BODY


@dataclass(frozen=True, eq=False)
class GltfPerson:
    """One person in N frames: metres, frame of the photograph's camera.

    Attributes:
        body: SMPL-H body model of 52 joints.
        beta: (10,) shape coefficients, the same in all frames.
        theta: (N, 52, 3, 3) local rotations, joint 0 in the camera's frame.
        trans: (N, 3) SMPL translation.
        frames: (N,) places of these frames among the video's; None where they are all of them.
        name: of the mesh.
    """

    body: BodyModel
    beta: np.ndarray
    theta: np.ndarray
    trans: np.ndarray
    frames: np.ndarray | None = None
    name: str = "person"


def add_person(document: Document, person: GltfPerson, motion: Motion) -> tuple[int, int]:
    """Add a person's skeleton and mesh.

    Returns:
        The node of the pelvis, in the frame of the camera, and the node of the mesh, which has to be a root
        of the scene: glTF moves a skinned mesh by its joints alone.
    """
    beta = torch.from_numpy(np.array(person.beta)).to(person.body.template)
    rest = person.body.rest_joints(beta).cpu().numpy().astype(np.float64)
    joints = _add_joints(document, person, rest, motion)
    parts = pose_correctives(person.body, person.theta)
    mesh = _add_skin_mesh(document, person, beta, parts)
    skin = document.add("skins", joints=joints, inverseBindMatrices=document.array(_inverse_binds(rest)))
    extras = _extras(person, parts)
    node = document.add("nodes", name=person.name, mesh=mesh, skin=skin, extras=extras)
    if len(parts.targets):
        motion.add(node, "weights", parts.weights)
    return joints[0], node


def _add_joints(document: Document, person: GltfPerson, rest: np.ndarray, motion: Motion) -> list[int]:
    """The 52 joints as nodes, turned as in the first frame; the pelvis carries the translation."""
    parents = np.array(SMPLH_PARENTS)
    offsets = rest - np.where(parents[:, None] < 0, 0, rest[parents])
    turns, places = quaternions(person.theta), rest[0] + person.trans
    first = len(document.lists.get("nodes", ()))
    for joint, name in enumerate(SMPLH_NAMES):
        at = places[0] if joint == 0 else offsets[joint]
        below = [first + int(child) for child in np.flatnonzero(parents == joint)]
        children = {"children": below} if below else {}
        turn = turns[0, joint].tolist()
        node = document.add("nodes", name=name, translation=at.tolist(), rotation=turn, **children)
        motion.add(node, "rotation", turns[:, joint])
    motion.add(first, "translation", places)
    return list(range(first, first + len(SMPLH_NAMES)))


def _inverse_binds(rest: np.ndarray) -> np.ndarray:
    """(J, 4, 4) by column: the rest joints have no rotation, so each only moves its joint to the origin."""
    matrices = np.tile(np.eye(4), (len(rest), 1, 1))
    matrices[:, 3, :3] = -rest
    return matrices


def _add_skin_mesh(document: Document, person: GltfPerson, beta: torch.Tensor, parts: Correctives) -> int:
    still = torch.eye(3).to(beta).expand(1, len(SMPLH_NAMES), 3, 3)
    verts = person.body.rest_verts(still, beta[None])[0].cpu().numpy() + parts.base
    faces, weights = person.body.faces.cpu().numpy(), _skin_attributes(document, person.body)
    entry: dict[str, Any] = {}
    if len(parts.targets):
        names = [f"pose_corrective_{k}" for k in range(len(parts.targets))]
        entry = {"weights": parts.weights[0].tolist(), "extras": {"targetNames": names}}
    return add_mesh(document, person.name, verts, faces, PRED_BODY, weights, parts.targets, **entry)


def _skin_attributes(document: Document, body: BodyModel) -> dict[str, int]:
    """Joints and weights in sets of four, the largest first, as many sets as the vertex with most needs."""
    weights = body.skin.matrix().toarray().astype(np.float64)
    sets = -(-int((weights > 0).sum(axis=1).max()) // 4)
    order = np.argsort(-weights, axis=1, kind="stable")[:, : 4 * sets]
    share = np.take_along_axis(weights, order, axis=1)
    share /= share.sum(axis=1, keepdims=True)
    joints = np.where(share > 0, order, 0).astype("u1")
    attributes = {}
    for k in range(sets):
        four = slice(4 * k, 4 * k + 4)
        attributes[f"JOINTS_{k}"] = document.array(joints[:, four], VERTICES)
        attributes[f"WEIGHTS_{k}"] = document.array(share[:, four], VERTICES)
    return attributes


def _extras(person: GltfPerson, parts: Correctives) -> dict[str, Any]:
    """What the mesh's node tells of the body and of what a skin cannot express."""
    if len(parts.targets):
        how = f"in {len(parts.targets)} morph targets whose weights are animated, and in the rest shape"
    else:
        how = "baked of this pose" if len(person.theta) == 1 else "baked of the mean of all frames"
    return {
        "body": person.body.model_id,
        "gender": person.body.gender,
        "beta": np.asarray(person.beta, np.float64).tolist(),
        "pose_correctives": how,
        "pose_correctives_left_out_mm": round(parts.left_out_mm, 3),
    }
