"""Rendering one object alone by ray casting, in the template's own frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from rhobin.geometry.camera import project
from rhobin.geometry.mesh import corner_normals, vertex_normals
from rhobin.geometry.raycast import Hits, Scene, camera_rays, interpolate
from rhobin.objects.nocs import nocs_box, to_nocs
from rhobin.objects.template import Template
from rhobin.synthetic.light.shading import (
    DITHER_FILTER,
    OPEN_REACH,
    Light,
    irradiance,
    openness,
    tone,
    visibility,
)
from rhobin.synthetic.render.lighting import bumped, highlight
from rhobin.synthetic.renders.look import Look
from rhobin.synthetic.renders.picture import Picture, quantised, through_camera
from rhobin.synthetic.renders.skin import Skin, dressed

OPEN_RAYS = 24


class EmbreeRenderer:
    """Renders a template; everything that its pose does not change is made once."""

    def __init__(self, template: Template, skin: Skin | None = None):
        self.template, self.skin = template, skin
        self.scene = Scene([(template.verts, template.faces)])
        self.box = nocs_box(template.verts, "cube")
        self._normals = corner_normals(template.verts, template.faces).astype(np.float32)
        verts = template.verts.astype(np.float32)
        facing = vertex_normals(template.verts, template.faces).astype(np.float32)
        self._open = openness([self.scene], verts, facing, OPEN_RAYS, OPEN_REACH)[:, None]

    def render(
        self, R: np.ndarray, t: np.ndarray, K: np.ndarray, size: int, look: Look, rng: np.random.Generator
    ) -> Picture:
        """Render one pose; arguments as of `Renderer`."""
        origin = (-R.T @ t).astype(np.float32)
        box = _box(np.asarray(project(self.template.verts @ R.T + t, K)), size)
        rays = camera_rays(K @ R, size, size, box)
        height, width = rays.shape[:2]
        hits = self.scene.cast(origin, rays.reshape(-1, 3))
        at = np.flatnonzero(hits.geom_id >= 0)
        on = np.zeros((size, size), bool)
        part = on[box[1] : box[3], box[0] : box[2]]
        part.reshape(height, width)[...] = (hits.geom_id >= 0).reshape(height, width)
        seen = _picked(hits, at)
        toward = rays.reshape(-1, 3)[at]
        points = origin + toward * seen.distance[:, None]
        nocs = np.zeros((size, size, 3), np.uint16)
        nocs[on] = quantised(to_nocs(points, self.box))
        color = np.zeros((size, size, 3), np.uint8)
        color[on] = self._shaded(seen, points, toward, on, replace(look, lamps=_moved(look.lamps, R, t)))
        color = through_camera(color[..., ::-1], on, look, rng)
        return Picture(color, np.where(on, np.uint8(255), np.uint8(0)), nocs)

    def _shaded(
        self, hits: Hits, points: np.ndarray, toward: np.ndarray, on: np.ndarray, look: Look
    ) -> np.ndarray:
        """Colours (N, 3) uint8 RGB of the pixels that are on the object."""
        own = np.einsum("nk,nkc->nc", hits.barycentric, self._normals[hits.prim_id])
        own /= np.maximum(np.sqrt(np.einsum("nk,nk->n", own, own)), 1e-9)[:, None]
        paint = dressed(self.template, self.skin, look, points, own, hits.prim_id)
        normal = bumped(own, paint.bump, points, toward)
        free = interpolate(hits, self.template.faces, self._open)
        light, shine = look.ambient * free, np.zeros(len(points), np.float32)
        for lamp in look.lamps:
            seen = self._visible(lamp, points, normal, on)
            light = light + (irradiance(lamp, points, normal) * seen)[:, None] * lamp.color
            shine += highlight(lamp.centre, points, normal, toward) * seen
        radiance = paint.albedo * light + (1.2 * (paint.gloss + look.gloss) * shine)[:, None]
        return tone((radiance * look.exposure).astype(np.float32))

    def _visible(self, lamp: Light, points: np.ndarray, normal: np.ndarray, on: np.ndarray) -> np.ndarray:
        """Share (N,) of a lamp that each pixel sees: a ray each, averaged over a pattern of sixteen."""
        row, column = np.nonzero(on)
        phase = 4 * (row % 4) + column % 4
        free = np.zeros(on.shape, np.float32)
        free[on] = visibility([self.scene], points, normal, lamp, 1, phase)
        weight = on.astype(np.float32)
        free, weight = (
            cv2.sepFilter2D(image, -1, DITHER_FILTER, DITHER_FILTER, borderType=cv2.BORDER_CONSTANT)[on]
            for image in (free, weight)
        )
        return free / weight


def _box(pixels: np.ndarray, size: int) -> tuple[int, int, int, int]:
    """Columns and rows of a picture that points (V, 2) can cover."""
    low = np.clip(np.floor(pixels.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _picked(hits: Hits, at: np.ndarray) -> Hits:
    return Hits(hits.geom_id[at], hits.prim_id[at], hits.u[at], hits.v[at], hits.distance[at])


def _moved(lamps: tuple[Light, ...], R: np.ndarray, t: np.ndarray) -> tuple[Light, ...]:
    """Lamps of the camera frame in the template's."""
    return tuple(
        replace(lamp, centre=R.T @ (lamp.centre - t), u=R.T @ lamp.u, v=R.T @ lamp.v) for lamp in lamps
    )
