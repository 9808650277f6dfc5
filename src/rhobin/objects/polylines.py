"""Distances to chains of segments, and insides of polygons."""

import numpy as np
from jaxtyping import Bool, Float


def segment_distance(
    points: Float[np.ndarray, "N D"], starts: Float[np.ndarray, "S D"], ends: Float[np.ndarray, "S D"]
) -> Float[np.ndarray, " N"]:
    """Distance from each point to the nearest of S line segments, (N,)."""
    nearest = np.full(len(points), np.inf)
    for start, end in zip(starts, ends, strict=True):
        along = end - start
        offset = points - start
        share = np.clip(offset @ along / max(float(along @ along), 1e-18), 0, 1)
        rest = offset - share[:, None] * along
        nearest = np.minimum(nearest, np.einsum("nd,nd->n", rest, rest))
    return np.sqrt(nearest)


def inside(
    points: Float[np.ndarray, "N 2"], starts: Float[np.ndarray, "S 2"], ends: Float[np.ndarray, "S 2"]
) -> Bool[np.ndarray, " N"]:
    """Whether points of the plane lie inside the polygon of S edges (even-odd rule), (N,)."""
    result = np.zeros(len(points), dtype=bool)
    x, y = points.T
    for (ax, ay), (bx, by) in zip(starts, ends, strict=True):
        if ay != by:
            spans = (ay > y) != (by > y)
            result ^= spans & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return result
