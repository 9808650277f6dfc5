"""Rendering one object alone with Cycles, through the `bpy` wheel: as Embree's but for the shading."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.light.shading import tone
from rhobin.synthetic.renders.blender_scene import (
    FLIP,
    NOCS,
    PAINT,
    glowing,
    lamp_placement,
    mesh_of,
    painted,
    placement,
    quiet,
)
from rhobin.synthetic.renders.look import Look
from rhobin.synthetic.renders.picture import Picture, quantised, through_camera
from rhobin.synthetic.renders.skin import Skin, dressed

SAMPLES = 16
"""Rays a pixel, for colour."""
SENSOR = 36.0
POWER = 9.87
"""Watts of a square lamp, per squared metre of distance, that light a surface with an irradiance of pi."""


def need_bpy() -> ModuleType:
    """Blender as a module.

    Raises:
        ValueError: it cannot be imported; says what to install, and what does without.
    """
    try:
        import bpy
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ValueError(
            f"--renderer blender needs Blender as a module, which this Python {version} cannot import "
            f"({error}). It exists for Python 3.11: pip install 'rhobin[blender]' (or 'bpy==4.2.*'). "
            "--renderer embree, the default, makes the same files without it"
        ) from error
    return bpy


def check_bpy() -> None:
    """Look whether Blender can be imported, for processes to come; errors as `need_bpy`.

    Importing it puts its own scripts on the search path, which those processes would inherit and fail by.
    """
    path = [*sys.path]
    try:
        need_bpy()
    finally:
        sys.path[:] = path


class BlenderRenderer:
    """Renders a template; takes Blender's scene for itself, so a process has one at a time."""

    def __init__(self, template: Template, skin: Skin | None = None):
        self.template, self.skin, self.bpy = template, skin, need_bpy()
        with quiet():
            self.bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = self.bpy.context.scene
        self._set_up()
        self.mesh = mesh_of(self.bpy, template)
        self.thing = self._add("thing", self.mesh)
        self.camera = self._add("camera", self.bpy.data.cameras.new("camera"))
        self.scene.camera = self.camera
        self.lamps: list = []
        self.materials = {NOCS: glowing(self.bpy), PAINT: painted(self.bpy)}

    def render(
        self, R: np.ndarray, t: np.ndarray, K: np.ndarray, size: int, look: Look, rng: np.random.Generator
    ) -> Picture:
        """Render one pose; arguments as of `Renderer`."""
        self.thing.matrix_world = placement(FLIP @ R, FLIP @ t)
        self._aim(K, size)
        nocs = self._drawn(NOCS, samples=1)
        on = nocs[..., 3] > 0.5
        self._light(look)
        self._dress(look)
        radiance = self._drawn(PAINT, samples=SAMPLES)
        share = np.maximum(radiance[..., 3:], 1e-3)
        color = tone((radiance[..., :3] / share * look.exposure).astype(np.float32))
        levels = np.where(on[..., None], quantised(nocs[..., :3]), np.uint16(0))
        color = through_camera(np.ascontiguousarray(color[..., ::-1]), on, look, rng)
        return Picture(color, np.where(on, np.uint8(255), np.uint8(0)), levels)

    def _set_up(self) -> None:
        scene, cycles = self.scene, self.scene.render
        cycles.engine = "CYCLES"
        cycles.film_transparent, cycles.use_persistent_data = True, True
        cycles.resolution_percentage = 100
        cycles.threads_mode, cycles.threads = "FIXED", 1
        cycles.image_settings.file_format = "OPEN_EXR"
        cycles.image_settings.color_mode, cycles.image_settings.color_depth = "RGBA", "32"
        scene.view_settings.view_transform = "Raw"
        scene.cycles.device, scene.cycles.seed = "CPU", 0
        scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
        scene.cycles.max_bounces = 3
        scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS"
        scene.world = self.bpy.data.worlds.new("world")
        scene.world.use_nodes = True

    def _add(self, name: str, data):
        thing = self.bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(thing)
        return thing

    def _aim(self, K: np.ndarray, size: int) -> None:
        """Give the camera intrinsics (3, 3) of a square picture."""
        lens, output = self.camera.data, self.scene.render
        tall = K[1, 1] / K[0, 0]
        output.resolution_x = output.resolution_y = size
        output.pixel_aspect_x, output.pixel_aspect_y = max(tall, 1.0), max(1 / tall, 1.0)
        lens.sensor_fit, lens.sensor_width, lens.lens = "HORIZONTAL", SENSOR, K[0, 0] * SENSOR / size
        lens.shift_x = ((size - 1) / 2 - K[0, 2]) / size
        lens.shift_y = (K[1, 2] - (size - 1) / 2) / size / tall
        lens.clip_start, lens.clip_end = 0.05, 100.0

    def _light(self, look: Look) -> None:
        while len(self.lamps) < len(look.lamps):
            self.lamps.append(self._add("lamp", self.bpy.data.lights.new("lamp", "AREA")))
        for lamp, light in zip(self.lamps, look.lamps, strict=True):
            lamp.matrix_world = lamp_placement(light)
            lamp.data.size = 2 * float(np.linalg.norm(light.u))
            lamp.data.color = (light.color / light.color.max()).tolist()
            lamp.data.energy = POWER * float(light.color.max()) * light.reference**2
        sky = self.scene.world.node_tree.nodes["Background"]
        sky.inputs["Color"].default_value = (*look.ambient.tolist(), 1.0)

    def _dress(self, look: Look) -> None:
        """Colours of the faces as Embree's own, at their middles."""
        template = self.template
        middles = template.verts[template.faces].mean(axis=1).astype(np.float32)
        a, b, c = (template.verts[template.faces[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        faces = np.arange(len(middles))
        paint = dressed(template, self.skin, look, middles, normals.astype(np.float32), faces)
        rgba = np.concatenate([paint.albedo, np.ones((len(faces), 1))], axis=1)
        self.mesh.attributes[PAINT].data.foreach_set("color", rgba.astype(np.float32).ravel())
        skin = self.materials[PAINT].node_tree.nodes["Principled BSDF"]
        skin.inputs["Roughness"].default_value = 0.5
        skin.inputs["Specular IOR Level"].default_value = min(1.0, float(paint.gloss.mean()) + look.gloss)

    def _drawn(self, what: str, samples: int) -> np.ndarray:
        """(S, S, 4) float32 radiance and coverage; one sample goes through the centre of its pixel."""
        self.mesh.materials.clear()
        self.mesh.materials.append(self.materials[what])
        self.scene.cycles.samples = samples
        self.scene.cycles.filter_width = 0.01 if samples == 1 else 1.5
        for lamp in self.lamps:
            lamp.hide_render = what == NOCS
        self.mesh.update()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "picture.exr"
            self.scene.render.filepath = str(file)
            with quiet():
                self.bpy.ops.render.render(write_still=True)
            return self._read(file)

    def _read(self, file: Path) -> np.ndarray:
        image = self.bpy.data.images.load(str(file))
        width, height = image.size
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
        self.bpy.data.images.remove(image)
        return pixels.reshape(height, width, 4)[::-1]
