"""Light: area lamps, soft shadows, ambient occlusion, and the curve from radiance to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rhobin.geometry.raycast import Scene

SURFACE_OFFSET = 1e-3
"""Metres by which shadow rays start off the surface."""

OPEN_RAYS, OPEN_REACH = 10, 0.45
"""Rays per point, and metres, for the openness of what people and objects darken."""

WHITE_POINT = 2.6
"""Radiance, after exposure, that becomes white."""

DITHER_FILTER = np.array([1, 2, 2, 2, 1], np.float32) / 8
"""Filter that leaves nothing of a pattern with a period of four or two pixels."""

TONE_STEPS = 8192
TONE_LIMIT = 4.0


@dataclass(frozen=True)
class Light:
    """A rectangular lamp, or the sun as one far away.

    Attributes:
        centre: (3,) metres, room frame.
        u: (3,) half edge.
        v: (3,) half edge.
        color: (3,) linear RGB irradiance that a surface facing it receives at `reference` metres.
        reference: distance at which `color` is given.
    """

    centre: np.ndarray
    u: np.ndarray
    v: np.ndarray
    color: np.ndarray
    reference: float

    def samples(self, count: int) -> np.ndarray:
        """(count, 3) points spread evenly over the lamp."""
        k = np.arange(count) + 0.5
        a = 2 * (k / count) - 1
        b = 2 * ((k * 0.6180339887498949) % 1.0) - 1
        return (self.centre + a[:, None] * self.u + b[:, None] * self.v).astype(np.float32)


def irradiance(light: Light, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """What a lamp gives to unshadowed surface points, as a factor of its colour.

    Args:
        light: the lamp.
        points: (N, 3) metres.
        normals: (N, 3) unit.

    Returns:
        (N,) cosine at the surface times the fall-off with distance.
    """
    to_light = light.centre.astype(np.float32) - points
    squared = np.einsum("nk,nk->n", to_light, to_light)
    cosine = np.einsum("nk,nk->n", to_light, normals) / np.sqrt(squared)
    return np.maximum(cosine, 0) * (light.reference**2 / squared)


def visibility(
    scenes: Sequence[Scene],
    points: np.ndarray,
    normals: np.ndarray,
    light: Light,
    rays: int,
    phase: np.ndarray,
) -> np.ndarray:
    """Fraction of a lamp that each point sees.

    Args:
        scenes: what may stand in between.
        points: (N, 3) metres.
        normals: (N, 3) unit; rays start a little along them.
        light: the lamp.
        rays: shadow rays per point.
        phase: (N,) integers that choose which part of the lamp a point looks at, so that neighbours with
            different phases average to a smooth penumbra.

    Returns:
        (N,) in [0, 1].
    """
    spots = light.samples(rays * 16)
    origins = points + np.float32(SURFACE_OFFSET) * normals
    first = phase & 15
    free = np.zeros(len(points), np.float32)
    for ray in range(rays):
        free += ~_blocked(scenes, origins, spots[first + 16 * ray] - origins)
    return free / np.float32(rays)


def _blocked(scenes: Sequence[Scene], origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    blocked = scenes[0].occluded(origins, directions, 0.995)
    for scene in scenes[1:]:
        rest = np.flatnonzero(~blocked)
        if len(rest):
            blocked[rest] = scene.occluded(origins[rest], directions[rest], 0.995)
    return blocked


def light_plane(light: Light) -> np.ndarray:
    """(3, 3) rows: two axes across a lamp's view of the room's middle, and the axis towards it."""
    axis = np.array([0.0, 0.9, 0.0]) - light.centre
    axis /= np.linalg.norm(axis)
    across = np.cross(axis, [0.3, 0.1, 1.0])
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(axis, across), axis]).astype(np.float32)


def seen_from(light: Light, points: np.ndarray) -> np.ndarray:
    """Where a lamp's middle sees points.

    Args:
        light: the lamp.
        points: (N, 3) metres.

    Returns:
        (3, N): two perspective coordinates (far off for points behind the lamp) and the depth, metres.
    """
    local = light_plane(light) @ (points - light.centre.astype(np.float32)).T
    local[:2] /= np.maximum(local[2], np.float32(1e-2))
    return local


@lru_cache(maxsize=4)
def hemisphere(count: int) -> np.ndarray:
    """(count, 3) cosine-weighted directions about +z."""
    k = np.arange(count) + 0.5
    radius, angle = np.sqrt(k / count), k * 2.399963229728653
    directions = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - k / count)], axis=1)
    return directions.astype(np.float32)


def openness(
    scenes: Sequence[Scene], points: np.ndarray, normals: np.ndarray, rays: int, reach: float
) -> np.ndarray:
    """Ambient light that reaches surface points: the cosine-weighted fraction of free directions.

    Args:
        scenes: what may stand in between.
        points: (N, 3) metres.
        normals: (N, 3) unit.
        rays: directions tried per point.
        reach: surfaces farther than this do not darken, metres.

    Returns:
        (N,) in [0, 1].
    """
    helper = np.where(np.abs(normals[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]]).astype(np.float32)
    tangent = np.cross(normals, helper)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    bitangent = np.cross(normals, tangent)
    local = hemisphere(rays)
    directions = (
        local[None, :, :1] * tangent[:, None]
        + local[None, :, 1:2] * bitangent[:, None]
        + local[None, :, 2:] * normals[:, None]
    ).reshape(-1, 3)
    origins = np.repeat(points + np.float32(SURFACE_OFFSET) * normals, rays, axis=0)
    blocked = np.zeros(len(origins), bool)
    for scene in scenes:
        blocked |= scene.occluded(origins, directions, reach)
    return 1 - blocked.reshape(-1, rays).mean(axis=1, dtype=np.float32)


def luminance(color: np.ndarray) -> np.ndarray:
    """Brightness of linear RGB in the last axis."""
    return color @ np.array([0.2126, 0.7152, 0.0722], np.float32)


@lru_cache(maxsize=1)
def _tone_table() -> np.ndarray:
    x = np.linspace(0, TONE_LIMIT, TONE_STEPS)
    y = np.clip(x * (1 + x / WHITE_POINT**2) / (1 + x), 0, 1)
    encoded = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    return np.clip(np.rint(encoded * 255), 0, 255).astype(np.uint8)


def tone(radiance: np.ndarray) -> np.ndarray:
    """8-bit sRGB of exposed linear radiance: an extended Reinhard curve, then sRGB's transfer curve."""
    step = np.minimum(radiance * np.float32((TONE_STEPS - 1) / TONE_LIMIT), TONE_STEPS - 1)
    return _tone_table()[step.astype(np.uint16)]
