"""What Blender's scene is made of: a template's mesh, two materials, placements."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from rhobin.objects.nocs import nocs_box, to_nocs
from rhobin.objects.template import Template
from rhobin.synthetic.light.shading import Light

FLIP = np.diag([1.0, -1.0, -1.0])
"""From OpenCV's camera frame to Blender's, which looks along -z with y up."""
NOCS, PAINT = "nocs", "paint"
CREASE_DEG = 40.0


def mesh_of(bpy: ModuleType, template: Template) -> Any:
    """A template as Blender's mesh, with coordinates at its vertices and room for a colour on each face."""
    mesh = bpy.data.meshes.new("thing")
    mesh.from_pydata(template.verts.tolist(), [], template.faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(template.faces), bool))
    mesh.set_sharp_from_angle(angle=np.deg2rad(CREASE_DEG))
    places = mesh.attributes.new(NOCS, "FLOAT_VECTOR", "POINT")
    nocs = to_nocs(template.verts, nocs_box(template.verts, "cube"))
    places.data.foreach_set("vector", nocs.astype(np.float32).ravel())
    mesh.attributes.new(PAINT, "FLOAT_COLOR", "FACE")
    return mesh


def glowing(bpy: ModuleType) -> Any:
    """A material whose radiance is the object coordinate."""
    material, nodes, links = _material(bpy, NOCS)
    source, glow = nodes.new("ShaderNodeAttribute"), nodes.new("ShaderNodeEmission")
    source.attribute_name = NOCS
    links.new(source.outputs["Vector"], glow.inputs["Color"])
    links.new(glow.outputs["Emission"], nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return material


def painted(bpy: ModuleType) -> Any:
    """A material with the colours of the faces."""
    material, nodes, links = _material(bpy, PAINT)
    source, skin = nodes.new("ShaderNodeAttribute"), nodes.new("ShaderNodeBsdfPrincipled")
    source.attribute_name = PAINT
    links.new(source.outputs["Color"], skin.inputs["Base Color"])
    links.new(skin.outputs["BSDF"], nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return material


def _material(bpy: ModuleType, name: str) -> tuple[Any, Any, Any]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.node_tree.nodes.clear()
    return material, material.node_tree.nodes, material.node_tree.links


def placement(R: np.ndarray, t: np.ndarray) -> list[list[float]]:
    """A placement as Blender takes it: columns first."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = R, t
    return matrix.T.tolist()


def lamp_placement(light: Light) -> list[list[float]]:
    """A lamp's placement: Blender's shine along -z."""
    u, v = (axis / np.linalg.norm(axis) for axis in (light.u, light.v))
    away = np.cross(u, v)
    return placement(FLIP @ np.stack([u, v, away], axis=1), FLIP @ light.centre)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what Blender prints about each picture off the terminal."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)
