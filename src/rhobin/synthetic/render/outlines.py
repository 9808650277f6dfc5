"""Smooth outlines: colours mixed by how much of a pixel person, object and room cover."""

from __future__ import annotations

import numpy as np

from rhobin.geometry.raycast import Scene
from rhobin.synthetic.render.actors import Actors
from rhobin.synthetic.render.stage import Stage
from rhobin.synthetic.render.window import OBJECT, PERSON, TOUCH, Window

NEIGHBOURS = tuple((dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1))
SUBPIXELS = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))


def soften_outlines(stage: Stage, actors: Actors, window: Window, picture: np.ndarray) -> None:
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
        front = np.minimum(person, thing) < limit + TOUCH
        share[0] += ~front
        share[PERSON] += front & (person <= thing)
        share[OBJECT] += front & (thing < person)
    return share / len(SUBPIXELS)
