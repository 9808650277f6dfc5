"""Meshes for the page's 3D scene: quantised, base64, drawn by a software renderer on a 2D canvas."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rhobin.geometry.mesh import corner_normals
from rhobin.reports.overlay import Surface

ERROR_LIMIT_MM = 150.0
HEAT = ((58, 104, 178), (116, 190, 160), (248, 208, 96), (212, 62, 48))


@dataclass(frozen=True)
class SceneMesh:
    """One mesh of a scene.

    Attributes:
        surface: mesh and colour, camera frame, metres.
        kind: ``prediction`` or ``target``.
        error_mm: (V,) distance of each vertex to the target's surface, for the error view; None for targets.
        sharp: edges stay edges; bodies have none, and share their triangles when they are not parted.
    """

    surface: Surface
    kind: str
    error_mm: np.ndarray | None = None
    sharp: bool = False


@dataclass(frozen=True)
class SceneCase:
    """A frame that can be turned around.

    Attributes:
        label: short name, for its button.
        caption: what it shows and its errors.
        meshes: prediction and target.
    """

    label: str
    caption: str
    meshes: tuple[SceneMesh, ...]


def pack_scene(cases: Sequence[SceneCase]) -> str:
    """All cases as JSON that is safe inside a script element.

    Triangle lists that occur more than once are stored once; vertices keep 16 bits an axis, which is finer
    than 0.1 mm on anything a person can hold.

    Args:
        cases: the frames.

    Returns:
        JSON text.
    """
    faces: dict[bytes, int] = {}
    packed = [_pack_case(case, faces) for case in cases]
    document = {"cases": packed, "faces": [_base64(f) for f in faces], "heat": [list(stop) for stop in HEAT]}
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")


def _pack_case(case: SceneCase, faces: dict[bytes, int]) -> dict[str, Any]:
    every = np.concatenate([mesh.surface.verts for mesh in case.meshes])
    centre = (every.min(axis=0) + every.max(axis=0)) / 2
    radius = float(np.linalg.norm(every - centre, axis=1).max())
    return {
        "caption": case.caption,
        "centre": [round(float(x), 5) for x in centre],
        "radius": round(radius, 5),
        "meshes": [_pack_mesh(mesh, faces) for mesh in case.meshes],
    }


def _pack_mesh(mesh: SceneMesh, faces: dict[bytes, int]) -> dict[str, Any]:
    origin, corners = np.arange(len(mesh.surface.verts)), mesh.surface.faces
    if mesh.sharp:
        origin, corners = split_creases(mesh.surface.verts.astype(np.float64), corners)
    verts = mesh.surface.verts[origin].astype(np.float64)
    low = verts.min(axis=0)
    step = float((verts.max(axis=0) - low).max() / 65535)
    triangles = np.ascontiguousarray(corners, dtype="<u4").tobytes()
    packed = {
        "kind": mesh.kind,
        "color": list(mesh.surface.color),
        "faces": faces.setdefault(triangles, len(faces)),
        "low": [float(x) for x in low],
        "step": step,
        "verts": _base64(np.round((verts - low) / step).astype("<u2").tobytes()),
    }
    if mesh.error_mm is not None:
        levels = np.clip(mesh.error_mm[origin] / ERROR_LIMIT_MM * 255, 0, 255).astype(np.uint8)
        packed["error"] = _base64(levels.tobytes())
    return packed


def split_creases(verts: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part vertices where a surface has an edge, so that smooth shading keeps boxes sharp.

    Args:
        verts: (V, 3) vertices.
        faces: (F, 3) triangles.

    Returns:
        Which vertex each new one copies (W,), and the triangles (F, 3) in new vertices.
    """
    normals = np.round(corner_normals(verts, faces).reshape(-1, 3), 2)
    keys = np.column_stack([faces.ravel(), normals])
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return faces.ravel()[first], inverse.reshape(faces.shape)


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
