"""Pictures and masks of a person and an object in a furnished room, by ray casting.

Rays go only where people and objects project; the room comes from its cached layer. Silhouettes are those
of the meshes themselves, so projecting a file's parameters reproduces them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.geometry.raycast import Hits, Scene
from rhobin.synthetic.actors import Actors, Points
from rhobin.synthetic.materials import noise
from rhobin.synthetic.shading import DITHER_FILTER, irradiance, tone, visibility
from rhobin.synthetic.stage import Box, Stage

PERSON, OBJECT = 1, 2
SHADOW_RAYS = 3
NEIGHBOURS = tuple((dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1))
SUBPIXELS = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))


@dataclass
class RenderedView:
    """What one camera saw.

    Attributes:
        color: (H, W, 3) uint8 BGR.
        person_mask: (H, W) bool, visible pixels of the person.
        object_mask: (H, W) bool, visible pixels of the object.
        person_full: (H, W) bool, the person's whole silhouette.
        object_full: (H, W) bool, the object's whole silhouette.
    """

    color: np.ndarray
    person_mask: np.ndarray
    object_mask: np.ndarray
    person_full: np.ndarray
    object_full: np.ndarray


@dataclass(frozen=True)
class _Window:
    """First hits inside one box of the image.

    Attributes:
        box: x0, y0, x1, y1; ends excluded.
        who: (h, w) 0 room, PERSON or OBJECT.
        depth: (2, h, w) depth of person and object, inf where there is none.
        hits: hits of person and object, row by row over the box.
    """

    box: Box
    who: np.ndarray
    depth: np.ndarray
    hits: tuple[Hits, Hits]


def render_view(stage: Stage, actors: Actors, rng: np.random.Generator) -> RenderedView:
    """Render one camera's view.

    Args:
        stage: the camera and the room as it sees it.
        actors: person and object.
        rng: source of the camera's noise.

    Returns:
        Colour image and four masks.
    """
    size = stage.depth.shape
    window = _look(stage, actors)
    picture = stage.picture.copy()
    _shade_room(stage, actors, window, picture)
    _shade_actors(stage, actors, window, picture)
    _soften_edges(stage, actors, window, picture)
    x0, y0, x1, y1 = window.box
    masks = np.zeros((4, *size), bool)
    masks[0, y0:y1, x0:x1] = window.who == PERSON
    masks[1, y0:y1, x0:x1] = window.who == OBJECT
    masks[2:, y0:y1, x0:x1] = np.isfinite(window.depth)
    color = cv2.cvtColor(stage.sensor(picture, rng), cv2.COLOR_RGB2BGR)
    return RenderedView(color, masks[0], masks[1], masks[2], masks[3])


def _look(stage: Stage, actors: Actors) -> _Window:
    boxes = [stage.box_of(verts) for verts in actors.verts]
    union = _union(boxes)
    x0, y0, x1, y1 = union
    depth = np.full((2, y1 - y0, x1 - x0), np.inf, np.float32)
    hits = []
    for k, (scene, box) in enumerate(zip(actors.scenes, boxes, strict=True)):
        a0, b0, a1, b1 = box
        found = scene.cast(stage.origin, stage.rays[b0:b1, a0:a1].reshape(-1, 3))
        depth[k, b0 - y0 : b1 - y0, a0 - x0 : a1 - x0] = found.distance.reshape(b1 - b0, a1 - a0)
        hits.append(_spread(found, box, union))
    nearest = depth.min(axis=0)
    seen = nearest < stage.depth[y0:y1, x0:x1] + np.float32(2e-3)
    who = np.where(seen, np.where(depth[0] <= depth[1], PERSON, OBJECT), 0).astype(np.int8)
    who[~np.isfinite(nearest)] = 0
    return _Window(union, who, depth, (hits[0], hits[1]))


def _union(boxes: list[Box]) -> Box:
    filled = [b for b in boxes if b[2] > b[0] and b[3] > b[1]] or boxes[:1]
    low, high = np.min(filled, axis=0), np.max(filled, axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])


def _spread(hits: Hits, box: Box, union: Box) -> Hits:
    """Hits of a box laid out over the rows of a larger box."""
    x0, y0, x1, y1 = union
    rows = slice(box[1] - y0, box[3] - y0)
    columns = slice(box[0] - x0, box[2] - x0)

    def laid(values: np.ndarray, fill: float) -> np.ndarray:
        out = np.full((y1 - y0, x1 - x0), fill, values.dtype)
        out[rows, columns] = values.reshape(box[3] - box[1], box[2] - box[0])
        return out.ravel()

    return Hits(
        laid(hits.geom_id, -1),
        laid(hits.prim_id, -1),
        laid(hits.u, 0),
        laid(hits.v, 0),
        laid(hits.distance, np.inf),
    )


def _pick(hits: Hits, at: np.ndarray) -> Hits:
    return Hits(hits.geom_id[at], hits.prim_id[at], hits.u[at], hits.v[at], hits.distance[at])


def _shade_actors(stage: Stage, actors: Actors, window: _Window, picture: np.ndarray) -> None:
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
        normal = _bumped(points.normal, points.paint.bump, points.position, toward)
        albedo = points.paint.albedo
        light = stage.ambient * (points.open * (0.82 + 0.18 * normal[:, 1]))[:, None]
        shine = np.zeros(len(at), np.float32)
        for lamp, free in zip(
            stage.lights, _free(stage, actors, window, mask, at, points, normal), strict=True
        ):
            direct = irradiance(lamp, points.position, normal) * free
            light += direct[:, None] * lamp.color
            shine += _highlight(lamp.centre, points.position, normal, toward) * free
        radiance = albedo * light + (points.paint.gloss * shine)[:, None] * 1.2
        view[mask] = tone(radiance * stage.exposure)


def _bumped(normal: np.ndarray, bump: np.ndarray, position: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Normals tilted by folds and turned towards the camera."""
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


def _highlight(
    centre: np.ndarray, position: np.ndarray, normal: np.ndarray, toward: np.ndarray
) -> np.ndarray:
    to_light = centre.astype(np.float32) - position
    to_light /= np.sqrt(np.einsum("nk,nk->n", to_light, to_light))[:, None]
    half = to_light - toward / np.sqrt(np.einsum("nk,nk->n", toward, toward))[:, None]
    half /= np.sqrt(np.einsum("nk,nk->n", half, half))[:, None]
    return np.maximum(np.einsum("nk,nk->n", half, normal), 0) ** 24


def _free(
    stage: Stage,
    actors: Actors,
    window: _Window,
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


def _shade_room(stage: Stage, actors: Actors, window: _Window, picture: np.ndarray) -> None:
    """Darken the room where person and object take its light."""
    factors = stage.room_factors(actors)
    if factors is None:
        return
    (x0, y0, _, _), maps = factors
    changed = (maps < 0.99).any(axis=0)
    row, column = np.nonzero(changed)
    row, column = row + y0, column + x0
    maps = maps[:, changed]
    radiance = stage.layer.ambient[row, column].astype(np.float32) * (stage.gains[0] * maps[0])[:, None]
    for k in range(len(stage.lights)):
        radiance += (
            stage.layer.lit[k, row, column].astype(np.float32) * (stage.gains[1 + k] * maps[1 + k])[:, None]
        )
    picture[row, column] = tone(radiance * stage.exposure)


def _soften_edges(stage: Stage, actors: Actors, window: _Window, picture: np.ndarray) -> None:
    """Mix colours at silhouettes by the share of four rays that meets person, object and room."""
    x0, y0, x1, y1 = window.box
    who = window.who
    edge = np.zeros(who.shape, bool)
    across, down = who[:, 1:] != who[:, :-1], who[1:] != who[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    row, column = np.nonzero(edge)
    if not len(row):
        return
    share = _shares(stage, actors.scenes, row + y0, column + x0)
    padded_who = np.pad(who, 1, constant_values=-1)
    view = picture[y0:y1, x0:x1]
    padded = np.pad(view, ((1, 1), (1, 1), (0, 0)))
    mixed = np.zeros((len(row), 3), np.float32)
    total = np.zeros(len(row), np.float32)
    for label in (0, PERSON, OBJECT):
        color, count = np.zeros((len(row), 3), np.float32), np.zeros(len(row), np.float32)
        for dr, dc in NEIGHBOURS:
            same = padded_who[row + 1 + dr, column + 1 + dc] == label
            color += padded[row + 1 + dr, column + 1 + dc] * same[:, None]
            count += same
        weight = share[label] * (count > 0)
        mixed += color * (weight / np.maximum(count, 1))[:, None]
        total += weight
    known = total > 0
    mixed[known] /= total[known, None]
    mixed[~known] = view[row[~known], column[~known]]
    view[row, column] = np.rint(mixed).astype(np.uint8)


def _shares(stage: Stage, scenes: tuple[Scene, ...], row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """(3, N) share of room, person and object among four rays through each pixel."""
    limit = stage.depth[row, column]
    share = np.zeros((3, len(row)), np.float32)
    for du, dv in SUBPIXELS:
        rays = stage.rays[row, column] + np.float32(du) * stage.step[0] + np.float32(dv) * stage.step[1]
        person, thing = (scene.cast(stage.origin, rays).distance for scene in scenes)
        front = np.minimum(person, thing) < limit + np.float32(2e-3)
        share[0] += ~front
        share[PERSON] += front & (person <= thing)
        share[OBJECT] += front & (thing < person)
    return share / len(SUBPIXELS)
