"""What one camera meets first: person, object or room, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.geometry.raycast import Hits
from rhobin.synthetic.render.actors import Actors
from rhobin.synthetic.render.stage import Box, Stage

PERSON, OBJECT = 1, 2
TOUCH = np.float32(2e-3)
"""Metres by which an actor may lie behind a surface of the room and still be seen."""


@dataclass(frozen=True)
class Window:
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


def first_hits(stage: Stage, actors: Actors) -> Window:
    """Cast rays at person and object within their boxes and compare depths with the room's."""
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
    seen = nearest < stage.depth[y0:y1, x0:x1] + TOUCH
    who = np.where(seen, np.where(depth[0] <= depth[1], PERSON, OBJECT), 0).astype(np.int8)
    who[~np.isfinite(nearest)] = 0
    return Window(union, who, depth, (hits[0], hits[1]))


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
