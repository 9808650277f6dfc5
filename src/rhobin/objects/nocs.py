"""Normalised object coordinates: places of a template in its bounding box."""

import numpy as np
from jaxtyping import Float

from rhobin.geometry.mesh import Verts

SHAPES = ("box", "cube")

Box = Float[np.ndarray, "2 3"]
Points = Float[np.ndarray, "*N 3"]


def nocs_box(verts: Verts, shape: str = "box") -> Box:
    """The box that normalises a template's coordinates.

    BEHAVE's templates are centred on their vertex mean, not on their box, so the centre is part of it.

    Args:
        verts: (V, 3) vertices, metres.
        shape: "box", the axis-parallel bounding box (GDR-Net, `gdrn_base.py`), or "cube", which has its
            longest side in all three directions (G2DR, sec. 3.1.2) and so keeps angles.

    Returns:
        (2, 3) centre and extent, metres.
    """
    low, high = verts.min(axis=0), verts.max(axis=0)
    extent = high - low if shape == "box" else np.full(3, (high - low).max())
    return np.stack([(low + high) / 2, extent])


def to_nocs(points: Points, box: Box) -> Points:
    """Points of the template (..., 3) in metres to its box: 0.5 at the centre, 0 and 1 at the faces."""
    return (points - box[0]) / box[1] + 0.5


def from_nocs(nocs: Points, box: Box) -> Points:
    """The inverse of `to_nocs`: metres in the template's frame."""
    return (nocs - 0.5) * box[1] + box[0]
