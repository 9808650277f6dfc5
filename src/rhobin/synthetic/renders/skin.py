"""Colours of a scanned object: those of its textured full mesh, at the surface of the simplified one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from rhobin.geometry.raycast import Scene, interpolate
from rhobin.objects.catalogue import DESIGNS, built_in
from rhobin.objects.scans import read_mesh, simplified_path
from rhobin.objects.template import Template
from rhobin.synthetic.paint.finishes import object_paint
from rhobin.synthetic.paint.looks import Paint
from rhobin.synthetic.paint.materials import albedo, srgb_to_linear
from rhobin.synthetic.renders.look import Look

REACH = 0.02
"""Metres to either side of the simplified surface within which the full mesh is looked for."""


class Skin:
    """A textured mesh to look colours up on."""

    def __init__(self, verts: np.ndarray, faces: np.ndarray, uv: np.ndarray, picture: np.ndarray):
        """Keep the mesh.

        Args:
            verts: (V, 3) metres, template frame.
            faces: (F, 3).
            uv: (V, 2) places in the picture, (0, 0) at its lower left corner.
            picture: (H, W, 3) uint8 RGB.
        """
        self.scene, self.faces, self.uv = Scene([(verts, faces)]), faces, uv.astype(np.float32)
        self.picture = srgb_to_linear(picture / np.float32(255))
        self.mean = self.picture.reshape(-1, 3).mean(axis=0)

    def at(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Linear colours (N, 3) at points (N, 3) of the simplified surface with unit normals (N, 3).

        Where the full mesh is farther away than `REACH`, the picture's mean.
        """
        hits = self.scene.cast(points + REACH * normals, -normals, 2 * REACH)
        on = hits.geom_id >= 0
        hits.prim_id[~on] = 0
        height, width = self.picture.shape[:2]
        u, v = (interpolate(hits, self.faces, self.uv) % 1.0).T
        column, row = (u * width).astype(int), ((1 - v) * height).astype(int)
        found = self.picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        return np.where(on[:, None], found, self.mean)


def dressed(
    template: Template,
    skin: Skin | None,
    look: Look,
    points: np.ndarray,
    normals: np.ndarray,
    face: np.ndarray,
) -> Paint:
    """Paint of a template's surface points under a look.

    Args:
        template: the object.
        skin: its texture; None for its own paint.
        look: tint, or another material.
        points: (N, 3) template frame, metres.
        normals: (N, 3) unit.
        face: (N,) triangles that the points lie on.
    """
    paint = object_paint(template, points, normals, face)
    if look.material is not None:
        color = albedo(look.material, points, normals)
    else:
        color = look.tint * (paint.albedo if skin is None else skin.at(points, normals))
    return Paint(np.clip(color, 0, 0.95).astype(np.float32), paint.bump, paint.gloss)


def skin_of(root: Path, template: Template) -> Skin | None:
    """The skin of a root's template; None for a built-in one, which has paint, and without a texture."""
    name = template.name
    if name in DESIGNS and built_in(name) is template:
        return None
    path = Path(root) / "objects" / name / f"{name}.obj"
    if not path.is_file():
        return None
    mesh = trimesh.load_mesh(path, process=False, maintain_order=True)
    picture = getattr(getattr(mesh.visual, "material", None), "image", None)
    uv = getattr(mesh.visual, "uv", None)
    if picture is None or uv is None:
        return None
    middle = read_mesh(simplified_path(Path(root) / "objects", name))[0].mean(axis=0)
    rgb = np.asarray(picture.convert("RGB"))
    return Skin(np.asarray(mesh.vertices) - middle, np.asarray(mesh.faces), np.asarray(uv), rgb)
