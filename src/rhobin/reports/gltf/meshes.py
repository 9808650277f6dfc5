"""Triangle meshes and materials as entries of a glTF document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rhobin.geometry.mesh import vertex_normals
from rhobin.reports.gltf.document import VERTICES, Document
from rhobin.reports.palette import RGB

ROUGHNESS = 0.8
UP = (0.0, 1.0, 0.0)


def add_mesh(
    document: Document,
    name: str,
    verts: np.ndarray,
    faces: np.ndarray,
    color: RGB,
    further: dict[str, int] | None = None,
    targets: Iterable[np.ndarray] = (),
    **entry: Any,
) -> int:
    """Add a mesh of one material.

    Args:
        document: where to.
        name: of the mesh and its material.
        verts: (V, 3) vertices, metres.
        faces: (F, 3) triangles, outward.
        color: of the material.
        further: arrays of the document that belong to the vertices, by attribute.
        targets: (V, 3) offsets each of the morph targets, metres.
        **entry: what else the mesh tells.

    Returns:
        Its place among the meshes.
    """
    attributes = {
        "POSITION": document.array(verts, VERTICES, bounds=True),
        "NORMAL": document.array(_normals(verts, faces), VERTICES),
        **(further or {}),
    }
    primitive: dict[str, Any] = {"attributes": attributes, "indices": document.triangles(faces)}
    primitive["material"] = _material(document, name, color)
    offsets = [document.array(target, VERTICES, bounds=True) for target in targets]
    if offsets:
        primitive["targets"] = [{"POSITION": offset} for offset in offsets]
    return document.add("meshes", name=name, primitives=[primitive], **entry)


def _normals(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3), also where no triangle has an area."""
    normals = vertex_normals(np.asarray(verts, np.float64), faces)
    normals[~normals.any(axis=1)] = UP
    return normals


def _material(document: Document, name: str, color: RGB) -> int:
    surface = {"baseColorFactor": linear(color), "metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
    return document.add("materials", name=name, pbrMetallicRoughness=surface, doubleSided=True)


def linear(color: RGB) -> list[float]:
    """A colour of screens (sRGB) as glTF counts it, in proportion to light, and no transparency."""
    share = np.array(color) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return [*(round(float(x), 6) for x in light), 1.0]
