"""The room as one camera sees it, ray-cast once: colour per light, depth and surface points."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from rhobin.geometry.mesh import vertex_normals
from rhobin.geometry.raycast import Hits, Scene, camera_rays
from rhobin.synthetic.light.shading import irradiance, luminance, openness, visibility
from rhobin.synthetic.light.spread import Grid, spread
from rhobin.synthetic.paint.materials import albedo
from rhobin.synthetic.places.rooms import Room
from rhobin.types import Camera

LAMP_RAYS = 6
OPEN_RAYS = 20
OPEN_REACH = 0.8


@dataclass(frozen=True)
class RoomLayer:
    """The empty room in one camera, before exposure.

    Attributes:
        ambient: (H, W, 3) float16 radiance without any lamp.
        lit: (L, H, W, 3) float16 radiance that each lamp adds.
        points: (H, W, 3) float32 surface points, room frame, metres.
        normals: (H, W, 3) float16 unit normals towards the camera.
        depth: (H, W) float32 z in the camera, metres; inf through the window.
    """

    ambient: np.ndarray
    lit: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    depth: np.ndarray

    def save(self, folder: Path) -> None:
        """Write every array as a `.npy` file that processes can share through the page cache."""
        folder.mkdir(parents=True, exist_ok=True)
        for item in fields(self):
            np.save(folder / f"{item.name}.npy", getattr(self, item.name))

    @classmethod
    def load(cls, folder: Path) -> RoomLayer:
        """Map the arrays that `save` wrote, read-only."""
        return cls(**{item.name: np.load(folder / f"{item.name}.npy", mmap_mode="r") for item in fields(cls)})

    def radiance(self, every: int = 1) -> np.ndarray:
        """(H, W, 3) float32 radiance of the empty room, of every n-th row and column."""
        lit = self.lit[:, ::every, ::every].astype(np.float32)
        return self.ambient[::every, ::every].astype(np.float32) + lit.sum(axis=0)

    def exposure(self) -> float:
        """Factor that brings the room to a medium grey, as a camera's automatic exposure would."""
        total = self.radiance(every=4)
        return float(0.42 / np.mean(np.minimum(luminance(total), 1.5)))


def room_scene(room: Room) -> Scene:
    """All surfaces of a room ready for rays; geometry i is surface i."""
    return Scene([(s.placed, s.faces) for s in room.surfaces])


@dataclass(frozen=True)
class _Seen:
    """Surface elements met by N rays: where, facing where, of what colour; -1 in `surface` for the sky."""

    surface: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    color: np.ndarray
    glow: np.ndarray


def room_layer(room: Room, scene: Scene, camera: Camera) -> RoomLayer:
    """Ray-cast a room for one camera: colours at four rays a pixel, light and geometry at one.

    Args:
        room: the room.
        scene: `room_scene(room)`.
        camera: the camera in the room frame.

    Returns:
        The layer; adding `ambient` and all of `lit` gives the empty room.
    """
    size = (camera.height, camera.width)
    R, origin = camera.R.astype(np.float32), camera.t.astype(np.float32)
    centre = (camera_rays(camera.K, camera.width, camera.height) @ R.T).reshape(-1, 3)
    hits = scene.cast(origin, centre)
    geometry = _seen(room, hits, origin, centre, colored=False)
    light = _light(room, scene, geometry, size)
    ambient = np.zeros((*size, 3), np.float32)
    lit = np.zeros((len(room.lights), *size, 3), np.float32)
    for dv in (-0.25, 0.25):
        for du in (-0.25, 0.25):
            K = camera.K.copy()
            K[0, 2] -= du
            K[1, 2] -= dv
            rays = (camera_rays(K, camera.width, camera.height) @ R.T).reshape(-1, 3)
            seen = _seen(room, scene.cast(origin, rays), origin, rays, colored=True)
            _add_sample(room, seen, light, ambient.reshape(-1, 3), lit.reshape(len(room.lights), -1, 3))
    return RoomLayer(
        (ambient / 4).astype(np.float16),
        (lit / 4).astype(np.float16),
        geometry.points.reshape(*size, 3),
        geometry.normals.reshape(*size, 3).astype(np.float16),
        hits.distance.reshape(size),
    )


def _seen(room: Room, hits: Hits, origin: np.ndarray, rays: np.ndarray, colored: bool) -> _Seen:
    """Attributes of what rays met, surface by surface."""
    count = len(rays)
    distance = np.where(hits.geom_id >= 0, hits.distance, np.float32(50.0))
    points = origin + rays * distance[:, None]
    normals = np.tile(np.array([0, 1, 0], np.float32), (count, 1))
    color, glow = np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
    order = np.argsort(hits.geom_id, kind="stable")
    bounds = np.searchsorted(hits.geom_id[order], np.arange(len(room.surfaces) + 1))
    for index, surface in enumerate(room.surfaces):
        at = order[bounds[index] : bounds[index + 1]]
        if not len(at):
            continue
        R, prim = surface.R.astype(np.float32), hits.prim_id[at]
        if surface.smooth:
            corners = vertex_normals(surface.verts, surface.faces).astype(np.float32)[surface.faces[prim]]
            weight = hits.barycentric[at]
            local = np.einsum("nk,nkc->nc", weight, corners)
        else:
            a, b, c = (surface.verts[surface.faces[:, k]] for k in range(3))
            local = np.cross(b - a, c - a)[prim].astype(np.float32)
        local /= np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-12)
        if colored:
            own = (points[at] - surface.t.astype(np.float32)) @ R
            color[at] = albedo(surface.material, own, local)
            glow[at] = surface.material.emission
        normals[at] = local @ R.T
    away = np.einsum("nk,nk->n", normals, rays) > 0
    normals[away] *= -1
    return _Seen(hits.geom_id, points, normals, color, glow)


def _light(room: Room, scene: Scene, seen: _Seen, size: tuple[int, int]) -> np.ndarray:
    """(1 + L, H * W): openness and lamp visibility, found at every second pixel and spread from there."""
    height, width = size
    rows, columns = np.arange(0, height, 2), np.arange(0, width, 2)
    at = (rows[:, None] * width + columns).ravel()
    points, normals = seen.points[at], seen.normals[at]
    phase = (4 * (rows[:, None] // 2 % 4) + columns // 2 % 4).ravel()
    maps = [openness([scene], points, normals, OPEN_RAYS, OPEN_REACH)]
    maps += [visibility([scene], points, normals, lamp, LAMP_RAYS, phase) for lamp in room.lights]
    coarse = np.stack(maps, axis=-1).reshape(len(rows), len(columns), -1)
    pixels = Grid(seen.surface.reshape(size), seen.points.reshape(*size, 3), seen.normals.reshape(*size, 3))
    return np.ascontiguousarray(spread(coarse, pixels).reshape(-1, coarse.shape[-1]).T)


def _add_sample(room: Room, seen: _Seen, light: np.ndarray, ambient: np.ndarray, lit: np.ndarray) -> None:
    """Add the radiance of one ray a pixel to the sums."""
    sky = seen.surface < 0
    bounce = 0.82 + 0.18 * seen.normals[:, 1:2]
    glow = seen.glow[:, None] * seen.color
    ambient += np.where(sky[:, None], room.sky, seen.color * room.ambient * light[0][:, None] * bounce + glow)
    for k, lamp in enumerate(room.lights):
        direct = irradiance(lamp, seen.points, seen.normals) * light[1 + k] * ~sky
        lit[k] += seen.color * lamp.color * direct[:, None]
