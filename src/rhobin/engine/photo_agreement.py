"""How well a predicted mesh and the mask that the network was given show the same pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rhobin.data.photos.photo import PhotoSource
from rhobin.data.photos.pointer import PARTS
from rhobin.data.photos.subject import Subject
from rhobin.geometry.backend import rasterise
from rhobin.geometry.camera import resize_intrinsics

LONGEST = 256  # pixels of the image that both are compared on
Mesh = tuple[np.ndarray, np.ndarray]


def mask_overlaps(subject: Subject, meshes: Mapping[str, Mesh], K: np.ndarray) -> dict[str, float]:
    """Intersection over union of each part's outline with its mask, by part; parts that a box told have none.

    Pixels of the other part's mask do not count, since the mesh may lie behind them.

    Args:
        subject: with the masks.
        meshes: vertices (V, 3) in the frame of the photograph's camera, metres, and triangles, by part.
        K: (3, 3) intrinsics of the photograph.
    """
    source = subject.source
    scale = min(1.0, LONGEST / max(source.size))
    width, height = (max(1, round(scale * side)) for side in source.size)
    K = resize_intrinsics(K, width / source.size[0], height / source.size[1])
    masks = [_mask(source, part, (width, height)).ravel() for part in range(len(PARTS))]
    overlaps = {}
    for part, name in enumerate(PARTS):
        if name in meshes and not subject.how.get(name, "box").startswith("box"):
            drawn, counted = rasterise([meshes[name]], K, width, height).geom_id >= 0, ~masks[1 - part]
            both, either = drawn & masks[part] & counted, (drawn | masks[part]) & counted
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
