"""Colours of the person's and the object's pixels: paint, folds, lamps, shadows and highlights."""

from __future__ import annotations

import cv2
import numpy as np

from rhobin.geometry.raycast import Hits
from rhobin.synthetic.light.shading import DITHER_FILTER, irradiance, tone, visibility
from rhobin.synthetic.paint.noise import noise
from rhobin.synthetic.render.actors import Actors, Points
from rhobin.synthetic.render.stage import Stage
from rhobin.synthetic.render.window import OBJECT, PERSON, Window

SHADOW_RAYS = 3


def shade_actors(stage: Stage, actors: Actors, window: Window, picture: np.ndarray) -> None:
    """Colour the visible pixels of person and object."""
    x0, y0, x1, y1 = window.box
    rays = stage.rays[y0:y1, x0:x1].reshape(-1, 3)
    view = picture[y0:y1, x0:x1]
    for k, label in enumerate((PERSON, OBJECT)):
        mask = window.who == label
        at = np.flatnonzero(mask)
        if not len(at):
            continue
        hits = _pick(window.hits[k], at)
        toward = rays[at]
        points = actors.points(k, hits, stage.origin + toward * hits.distance[:, None])
        normal = bumped(points.normal, points.paint.bump, points.position, toward)
        albedo = points.paint.albedo
        light = stage.ambient * (points.open * (0.82 + 0.18 * normal[:, 1]))[:, None]
        shine = np.zeros(len(at), np.float32)
        for lamp, free in zip(
            stage.lights, _free(stage, actors, window, mask, at, points, normal), strict=True
        ):
            direct = irradiance(lamp, points.position, normal) * free
            light += direct[:, None] * lamp.color
            shine += highlight(lamp.centre, points.position, normal, toward) * free
        radiance = albedo * light + (points.paint.gloss * shine)[:, None] * 1.2
        view[mask] = tone(radiance * stage.exposure)


def bumped(normal: np.ndarray, bump: np.ndarray, position: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Unit normals (N, 3) tilted by folds and turned towards the camera.

    Args:
        normal: (N, 3) unit normals.
        bump: (N,) strength of the folds.
        position: (N, 3) metres.
        toward: (N, 3) directions of the camera's rays.
    """
    p = position
    folds = np.stack(
        [
            noise(p[:, 0] + p[:, 2], p[:, 1], 5.0),
            noise(p[:, 1] + 3.1, p[:, 2] - p[:, 0], 5.0),
            noise(p[:, 2] + 1.7, p[:, 0] + p[:, 1], 5.0),
        ],
        axis=1,
    )
    tilted = normal + bump[:, None] * folds
    away = np.einsum("nk,nk->n", normal, toward) > 0
    tilted[away] = -normal[away]
    return tilted / np.sqrt(np.einsum("nk,nk->n", tilted, tilted))[:, None]


def highlight(centre: np.ndarray, position: np.ndarray, normal: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Strength (N,) of a lamp's highlight; arguments as of `bumped`, and the lamp's centre (3,)."""
    to_light = centre.astype(np.float32) - position
    to_light /= np.sqrt(np.einsum("nk,nk->n", to_light, to_light))[:, None]
    half = to_light - toward / np.sqrt(np.einsum("nk,nk->n", toward, toward))[:, None]
    half /= np.sqrt(np.einsum("nk,nk->n", half, half))[:, None]
    return np.maximum(np.einsum("nk,nk->n", half, normal), 0) ** 24


def _free(
    stage: Stage,
    actors: Actors,
    window: Window,
    mask: np.ndarray,
    at: np.ndarray,
    points: Points,
    normal: np.ndarray,
) -> list[np.ndarray]:
    """Lamp visibility of one actor's pixels: cast at every second pixel, spread over the silhouette."""
    height, width = mask.shape
    row, column = np.divmod(at, width)
    chosen = np.flatnonzero((row % 2 == 0) & (column % 2 == 0))
    shape = ((height + 1) // 2, (width + 1) // 2)
    cell = (row[chosen] // 2) * shape[1] + column[chosen] // 2
    phase = 4 * (row[chosen] // 2 % 4) + column[chosen] // 2 % 4
    scenes = [actors.both, stage.scene]
    known = np.zeros(shape[0] * shape[1], np.float32)
    known[cell] = 1
    spread_known = _upsampled(known.reshape(shape), mask.shape)[mask]
    maps = []
    for lamp in stage.lights:
        free = visibility(scenes, points.position[chosen], normal[chosen], lamp, SHADOW_RAYS, phase)
        sparse = np.zeros_like(known)
        sparse[cell] = free
        spread = _upsampled(sparse.reshape(shape), mask.shape)[mask]
        maps.append(np.where(spread_known > 1e-3, spread / np.maximum(spread_known, 1e-3), 1.0))
    return maps


def _upsampled(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Twice the resolution, smoothed over the four by four pattern of lamp samples."""
    smooth = cv2.sepFilter2D(coarse, -1, DITHER_FILTER, DITHER_FILTER, borderType=cv2.BORDER_CONSTANT)
    fine = cv2.resize(smooth, (coarse.shape[1] * 2, coarse.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
    return fine[: shape[0], : shape[1]]


def _pick(hits: Hits, at: np.ndarray) -> Hits:
    return Hits(hits.geom_id[at], hits.prim_id[at], hits.u[at], hits.v[at], hits.distance[at])
