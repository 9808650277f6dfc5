"""Pictures and masks of a person and an object in a furnished room, by ray casting.

Rays go only where people and objects project; the room comes from its cached layer. Silhouettes are those
of the meshes themselves, so projecting a file's parameters reproduces them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.synthetic.light.shading import tone
from rhobin.synthetic.render.actors import Actors
from rhobin.synthetic.render.lighting import shade_actors
from rhobin.synthetic.render.outlines import soften_outlines
from rhobin.synthetic.render.stage import Stage
from rhobin.synthetic.render.window import OBJECT, PERSON, Window, first_hits


@dataclass
class RenderedView:
    """What one camera saw.

    Attributes:
        color: (H, W, 3) uint8 BGR.
        person_mask: (H, W) bool, visible pixels of the person.
        object_mask: (H, W) bool, visible pixels of the object.
        person_full: (H, W) bool, the person's whole silhouette.
        object_full: (H, W) bool, the object's whole silhouette.
        depth: (H, W) float32 metres along the optical axis of what is seen; inf through the window.
    """

    color: np.ndarray
    person_mask: np.ndarray
    object_mask: np.ndarray
    person_full: np.ndarray
    object_full: np.ndarray
    depth: np.ndarray


def render_view(stage: Stage, actors: Actors, rng: np.random.Generator) -> RenderedView:
    """Render one camera's view.

    Args:
        stage: the camera and the room as it sees it.
        actors: person and object.
        rng: source of the camera's noise.

    Returns:
        Colour image, four masks and depth.
    """
    size = stage.depth.shape
    window = first_hits(stage, actors)
    picture = stage.picture.copy()
    _shade_room(stage, actors, picture)
    shade_actors(stage, actors, window, picture)
    soften_outlines(stage, actors, window, picture)
    x0, y0, x1, y1 = window.box
    masks = np.zeros((4, *size), bool)
    masks[0, y0:y1, x0:x1] = window.who == PERSON
    masks[1, y0:y1, x0:x1] = window.who == OBJECT
    masks[2:, y0:y1, x0:x1] = np.isfinite(window.depth)
    color = cv2.cvtColor(stage.sensor(picture, rng), cv2.COLOR_RGB2BGR)
    return RenderedView(color, masks[0], masks[1], masks[2], masks[3], _depth(stage, window))


def _depth(stage: Stage, window: Window) -> np.ndarray:
    x0, y0, x1, y1 = window.box
    depth = np.array(stage.depth)
    depth[y0:y1, x0:x1] = np.where(window.who > 0, window.depth.min(axis=0), depth[y0:y1, x0:x1])
    return depth


def _shade_room(stage: Stage, actors: Actors, picture: np.ndarray) -> None:
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
