"""How well a predicted mesh and the mask that the network was given show the same pixels."""

from __future__ import annotations

import numpy as np

from rhobin.data.photos.photo import PhotoSource
from rhobin.data.photos.pointer import PARTS
from rhobin.engine.photos import PhotoPrediction
from rhobin.geometry.backend import rasterise
from rhobin.geometry.camera import resize_intrinsics

LONGEST = 256  # pixels of the image that both are compared on


def mask_overlaps(found: PhotoPrediction) -> dict[str, float]:
    """Intersection over union of each part's outline with its mask, by part; parts that a box told have none.

    Pixels of the other part's mask do not count, since the mesh may lie behind them.
    """
    source = found.shot.subject.source
    scale = min(1.0, LONGEST / max(source.size))
    width, height = (max(1, round(scale * side)) for side in source.size)
    K = resize_intrinsics(found.shot.camera.K, width / source.size[0], height / source.size[1])
    masks = [_mask(source, part, (width, height)) for part in range(len(PARTS))]
    overlaps = {}
    for part, name in enumerate(PARTS):
        how = found.shot.subject.how.get(name, "")
        if name not in found.meshes or how.startswith("box"):
            continue
        mesh = found.meshes[name]
        drawn = rasterise([(mesh.verts, mesh.faces)], K, width, height).geom_id >= 0
        counted = ~masks[1 - part].ravel()
        either = (drawn | masks[part].ravel()) & counted
        both = drawn & masks[part].ravel() & counted
        overlaps[name] = float(both.sum() / max(1, either.sum()))
    return overlaps


def _mask(source: PhotoSource, part: int, size: tuple[int, int]) -> np.ndarray:
    """A part's mask (h, w) bool at another size of the photograph."""
    width, height = source.size
    x, y, w, h = source.boxes[part].astype(int).tolist()
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(int) - y
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(int) - x
    shown = np.zeros(size[::-1], bool)
    inside = np.ix_((rows >= 0) & (rows < h), (columns >= 0) & (columns < w))
    if source.masks[part].size:
        shown[inside] = source.masks[part][np.ix_(rows[inside[0].ravel()], columns[inside[1].ravel()])] > 0
    return shown
