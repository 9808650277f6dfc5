"""One subject's body as plain arrays: kinematics and skinning of small patches in microseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rhobin.body.joints import SMPLH_PARENTS
from rhobin.body.model import BodyModel

_LONG_EDGE = 0.03  # metres; longer edges get a probe point in their middle


@dataclass(frozen=True)
class Patch:
    """Some vertices of a figure, ready to be skinned: rest positions, weights, pose blend shapes."""

    ids: np.ndarray
    rest: np.ndarray
    weights: np.ndarray
    posedirs: csr_matrix
    joints: np.ndarray

    def skin(self, theta: np.ndarray, G: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Posed vertices (n, 3): linear blend skinning with pose blend shapes."""
        feature = (theta[1:] - np.eye(3)).ravel()
        shaped = self.rest + (self.posedirs @ feature).reshape(-1, 3)
        shift = joints - np.einsum("jab,jb->ja", G, self.joints)
        blend = (self.weights @ np.concatenate([G.reshape(-1, 9), shift], axis=1)).reshape(-1, 12)
        return np.einsum("nab,nb->na", blend[:, :9].reshape(-1, 3, 3), shaped) + blend[:, 9:]


class Figure:
    """A body model with one subject's shape.

    Attributes:
        parents: (52,) parent of each joint, -1 for the pelvis.
        joints: (52, 3) rest joints.
        verts: (V, 3) rest vertices.
        normals: (V, 3) rest vertex normals.
        part: (V,) the joint with the largest skinning weight.
        faces: (F, 3) triangles.
        long_edges: (E, 2) ends of edges whose middle must be probed too.
    """

    def __init__(self, model: BodyModel, betas: np.ndarray) -> None:
        n, dtype = model.n_verts, model.template.dtype
        with torch.no_grad():
            shape = torch.from_numpy(betas).to(dtype)[:, None]
            verts = (model.template + model.shapedirs @ shape).reshape(n, 3).double().numpy()
            joints = model.rest_joints(shape.T)[0].double().numpy()
            self._weights = model.skin(torch.eye(model.n_joints, dtype=dtype)).double().numpy()
            blend = model.pose_blend(torch.eye(9 * (model.n_joints - 1), dtype=dtype)).double().numpy()
        self.verts, self.joints = verts, joints
        self.parents = np.array(SMPLH_PARENTS)
        self.faces = model.faces.numpy()
        self._posedirs = csr_matrix(blend)
        self.part = self._weights.argmax(axis=1)
        self.normals = _vertex_normals(self.verts, self.faces)
        self.long_edges = _long_edges(self.verts, self.faces)
        self._offsets = self.joints[1:] - self.joints[self.parents[1:]]
        self._body_bones = [(j, int(self.parents[j])) for j in range(1, 22)]
        firsts = np.arange(22, 52, 3)
        self._finger_bones = [(firsts + k, self.parents[firsts + k]) for k in range(3)]
        self._patches: dict[str, Patch] = {}

    def kinematics(self, theta: np.ndarray, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Global rotations (52, 3, 3) and joints (52, 3) of local rotations and a pelvis position."""
        G, joints = theta.copy(), np.empty((52, 3))
        joints[0] = pelvis
        for j, p in self._body_bones:
            G[j] = G[p] @ theta[j]
            joints[j] = joints[p] + G[p] @ self._offsets[j - 1]
        for js, ps in self._finger_bones:
            G[js] = G[ps] @ theta[js]
            joints[js] = joints[ps] + np.einsum("jab,jb->ja", G[ps], self._offsets[js - 1])
        return G, joints

    def patch(self, name: str) -> Patch:
        """A named patch (see `rhobin.synthetic.people.regions`)."""
        return self._patches[name]

    def add_patch(self, name: str, ids: np.ndarray) -> None:
        """Prepare a patch from vertex ids."""
        rows = (ids[:, None] * 3 + np.arange(3)).ravel()
        posedirs = self._posedirs[rows]
        self._patches[name] = Patch(ids, self.verts[ids], self._weights[ids], posedirs, self.joints)


def _vertex_normals(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = verts[faces]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(verts)
    for k in range(3):
        np.add.at(normals, faces[:, k], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _long_edges(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges = np.unique(edges, axis=0)
    length = np.linalg.norm(verts[edges[:, 0]] - verts[edges[:, 1]], axis=1)
    return edges[length > _LONG_EDGE]
