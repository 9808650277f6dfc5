"""Surface regions: farthest points of a template and the nearest of them, as in GDR-Net."""

import numpy as np
from jaxtyping import Float, Int64

from rhobin.geometry.mesh import Verts


def farthest_points(points: Verts, count: int) -> Int64[np.ndarray, " R"]:
    """Choose points that are far from each other; the same points always give the same choice.

    The first is the farthest from the middle of the bounding box, which stays taken, so that later points
    keep away from it too (GDR-Net, core/csrc/fps). Ties go to the lowest index.

    Args:
        points: (V, 3).
        count: how many to choose.

    Returns:
        (R,) their indices in order of choice.

    Raises:
        ValueError: there are fewer points than that.
    """
    if count > len(points):
        raise ValueError(f"cannot choose {count} regions on a template of {len(points)} vertices")
    chosen = np.empty(count, np.int64)
    gap = _square_distance(points, (points.min(axis=0) + points.max(axis=0)) / 2)
    for place in range(count):
        chosen[place] = np.argmax(gap)
        gap = np.minimum(gap, _square_distance(points, points[chosen[place]]))
    return chosen


def nearest_region(
    points: Float[np.ndarray, "N 3"], centres: Float[np.ndarray, "R 3"]
) -> Int64[np.ndarray, " N"]:
    """Region of each point: 1 + the index of the nearest centre; 0 is left for the background.

    Args:
        points: (N, 3) in the template's frame.
        centres: (R, 3) there.

    Returns:
        (N,) labels 1..R.
    """
    # |p - c|^2 without the part that all centres share
    return 1 + np.argmin((centres**2).sum(axis=1) - 2 * (points @ centres.T), axis=1)


def _square_distance(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    return ((points - to) ** 2).sum(axis=1)
