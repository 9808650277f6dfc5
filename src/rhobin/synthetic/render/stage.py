"""A camera in a lit room: everything about a view that does not move."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.synthetic.light.shading import DITHER_FILTER, seen_from, tone, visibility
from rhobin.synthetic.places.rooms import Room
from rhobin.synthetic.render.actors import Actors
from rhobin.synthetic.render.layers import RoomLayer
from rhobin.types import Camera

Box = tuple[int, int, int, int]

ROOM_SHADOW_RAYS = 3
FLOOR_SHADE = 0.8
FLAT = 0.004
DIM = 2e-3
NOISE_TILE = 256
NOISE_STEPS = 32
NEAR = 0.15


class Stage:
    """One camera of one sequence.

    Attributes:
        layer: the empty room.
        scene: the room's surfaces, for shadows on people.
        origin: (3,) the camera's position in the room.
        rays: (H, W, 3) float32 directions of depth 1 through pixel centres, room frame.
        step: (2, 3) change of a ray per pixel to the right and down.
        depth: (H, W) depth of the room.
        gains: strength of the ambient light and of each lamp in this sequence.
        lights: lamps with their gains applied.
        ambient: (3,) ambient light with its gain applied.
        exposure: (3,) factor per colour channel.
        picture: (H, W, 3) uint8 RGB of the empty room.
    """

    def __init__(
        self, room: Room, scene: Scene, layer: RoomLayer, camera: Camera, rng: np.random.Generator
    ) -> None:
        """Set up a camera.

        Args:
            room: the room.
            scene: its surfaces.
            layer: `room_layer` of the same room and camera.
            camera: the camera in the room frame.
            rng: decides how bright lamps and camera are in this sequence.
        """
        self.layer, self.scene, self._camera = layer, scene, camera
        R = camera.R.astype(np.float32)
        self.origin = camera.t.astype(np.float32)
        self.rays = camera_rays(camera.K, camera.width, camera.height) @ R.T
        self.step = np.stack([R[:, 0] / camera.K[0, 0], R[:, 1] / camera.K[1, 1]]).astype(np.float32)
        self.depth = np.asarray(layer.depth)
        self.gains = np.array(
            [rng.uniform(0.85, 1.15), *rng.uniform(0.65, 1.25, len(room.lights))], np.float32
        )
        self.ambient = room.ambient * self.gains[0]
        self.lights = tuple(
            replace(lamp, color=lamp.color * gain)
            for lamp, gain in zip(room.lights, self.gains[1:], strict=True)
        )
        balance = rng.uniform(0.96, 1.04, 3)
        self.exposure = (layer.exposure() * rng.uniform(0.88, 1.15) * balance).astype(np.float32)
        self._noise_level, self._blur = rng.uniform(1.0, 2.6), rng.uniform(0.3, 0.55)
        radiance = np.asarray(layer.ambient) * self.gains[0]
        for k, gain in enumerate(self.gains[1:]):
            radiance = radiance + np.asarray(layer.lit[k]) * gain
        self.picture = tone(radiance.astype(np.float32) * self.exposure)
        self._coarse_light()

    def _coarse_light(self) -> None:
        """Every second pixel's surface, and which of them each lamp reaches, as the lamp sees them."""
        points = np.ascontiguousarray(self.layer.points[::2, ::2])
        self._coarse_shape = points.shape[:2]
        self._points = points.reshape(-1, 3)
        self._normals = np.array(self.layer.normals[::2, ::2], dtype=np.float32).reshape(-1, 3)
        self._floor = np.flatnonzero(np.abs(self._points[:, 1]) < FLAT)
        self._floor_xz = np.ascontiguousarray(self._points[self._floor][:, [0, 2]].T)
        row, column = np.divmod(np.arange(len(self._points)), points.shape[1])
        self._phase = 4 * (row % 4) + column % 4
        self._reached, self._views = [], []
        for lamp, lit in zip(self.lights, self.layer.lit, strict=True):
            reached = np.flatnonzero(np.asarray(lit[::2, ::2]).max(axis=-1) > DIM)
            self._reached.append(reached)
            self._views.append(seen_from(lamp, self._points[reached])[:2])

    def box_of(self, verts: np.ndarray) -> Box:
        """Smallest box of pixels that holds the projection of vertices; empty outside the image."""
        camera = self._camera
        local = (verts - self.origin) @ camera.R.astype(np.float32)
        height, width = self.depth.shape
        if (local[:, 2] < NEAR).any():
            return 0, 0, width, height
        u = local[:, 0] / local[:, 2] * camera.K[0, 0] + camera.K[0, 2]
        v = local[:, 1] / local[:, 2] * camera.K[1, 1] + camera.K[1, 2]
        x0, x1 = np.clip([np.floor(u.min()), np.ceil(u.max()) + 1], 0, width).astype(int)
        y0, y1 = np.clip([np.floor(v.min()), np.ceil(v.max()) + 1], 0, height).astype(int)
        return int(x0), int(y0), int(x1), int(y1)

    def room_factors(self, actors: Actors) -> tuple[Box, np.ndarray] | None:
        """Where and how much two actors darken the room.

        Args:
            actors: person and object.

        Returns:
            A box of the image and factors (1 + L, h, w) of its ambient light and of each lamp; None where
            nothing changes.
        """
        maps = np.ones((1 + len(self.lights), len(self._points)), np.float32)
        near = actors.floor.covers(*self._floor_xz)
        maps[0, self._floor[near]] = 1 - FLOOR_SHADE * (1 - actors.floor.at(*self._floor_xz[:, near]))
        for k, lamp in enumerate(self.lights):
            at = self._reached[k][actors.umbra(k, lamp).covers(self._views[k])]
            maps[1 + k, at] = visibility(
                [actors.both], self._points[at], self._normals[at], lamp, ROOM_SHADOW_RAYS, self._phase[at]
            )
        maps = maps.reshape(-1, *self._coarse_shape)
        return self._full_size(maps)

    def _full_size(self, maps: np.ndarray) -> tuple[Box, np.ndarray] | None:
        touched = np.any(maps < 1, axis=0)
        rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
        if not len(rows):
            return None
        y0, y1 = max(int(rows[0]) - 2, 0), min(int(rows[-1]) + 3, touched.shape[0])
        x0, x1 = max(int(columns[0]) - 2, 0), min(int(columns[-1]) + 3, touched.shape[1])
        height, width = self.depth.shape
        box = (2 * x0, 2 * y0, min(2 * x1, width), min(2 * y1, height))
        fine = [cv2.resize(_smoothed(m[y0:y1, x0:x1]), (2 * (x1 - x0), 2 * (y1 - y0))) for m in maps]
        return box, np.stack(fine)[:, : box[3] - box[1], : box[2] - box[0]]

    def sensor(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What the camera makes of a picture: a soft lens and noise."""
        soft = cv2.GaussianBlur(picture, (3, 3), self._blur)
        height, width = soft.shape[:2]
        x, y = rng.integers(0, NOISE_TILE, 2)
        grain = _noise_tile(height, width)[y : y + height, x : x + width]
        level = self._noise_level * rng.uniform(0.85, 1.15) / NOISE_STEPS
        return cv2.addWeighted(soft, 1.0, grain, level, 0.0, dtype=cv2.CV_8U)


@lru_cache(maxsize=2)
def _noise_tile(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(55)
    shape = (height + NOISE_TILE, width + NOISE_TILE)
    shared = rng.standard_normal((*shape, 1), dtype=np.float32)
    own = rng.standard_normal((*shape, 3), dtype=np.float32)
    return np.rint(NOISE_STEPS * (0.8 * shared + 0.6 * own)).astype(np.int16)


def _smoothed(coarse: np.ndarray) -> np.ndarray:
    return cv2.sepFilter2D(coarse, -1, DITHER_FILTER, DITHER_FILTER, borderType=cv2.BORDER_REPLICATE)
