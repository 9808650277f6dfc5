"""An object as a node of its own: a mesh that turns and moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.reports.gltf.document import Document
from rhobin.reports.gltf.meshes import add_mesh
from rhobin.reports.gltf.motion import Motion, quaternions
from rhobin.reports.palette import PRED_OBJECT
from rhobin.reports.scene3d import split_creases


@dataclass(frozen=True, eq=False)
class GltfObject:
    """One rigid object in N frames: ``X = scale R x + t``, metres, frame of the photograph's camera.

    Attributes:
        verts: (V, 3) vertices of its template.
        faces: (F, 3) triangles, outward.
        R: (N, 3, 3) rotation, template to camera.
        t: (N, 3) translation.
        scale: size against the template, the same in all frames.
        frames: (N,) places of these frames among the video's; None where they are all of them.
        name: of the object.
    """

    verts: np.ndarray
    faces: np.ndarray
    R: np.ndarray
    t: np.ndarray
    scale: float = 1.0
    frames: np.ndarray | None = None
    name: str = "object"


def add_object(document: Document, item: GltfObject, motion: Motion) -> int:
    """Add an object, its vertices parted where its surface has an edge; returns its node."""
    verts = np.asarray(item.verts, np.float64)
    origin, faces = split_creases(verts, np.asarray(item.faces))
    mesh = add_mesh(document, item.name, verts[origin], faces, PRED_OBJECT)
    turns, size = quaternions(item.R), 3 * [float(item.scale)]
    at = {"rotation": turns[0].tolist(), "translation": np.asarray(item.t[0], np.float64).tolist()}
    node = document.add("nodes", name=item.name, mesh=mesh, scale=size, **at)
    motion.add(node, "rotation", turns)
    motion.add(node, "translation", np.asarray(item.t))
    return node
