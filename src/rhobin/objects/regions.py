"""Surface regions: farthest points of a template and the nearest of them, as in GDR-Net."""

import numpy as np
from jaxtyping import Float, Int64, Integer

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


class FaceRegions:
    """Regions of points on a template's faces, decided once for a face where that is possible.

    A centre that some other one beats at all three corners of a face is nearest nowhere on it: what is nearer
    to one of two points is a half-space. That leaves most faces one or two centres, and the bisector of two
    tells on whose side a point lies; points on faces with more are compared with all centres.
    """

    def __init__(self, verts: Verts, faces: Int64[np.ndarray, "F 3"], centres: Float[np.ndarray, "R 3"]):
        """Decide what can be decided of each face.

        Args:
            verts: (V, 3) vertices of the template.
            faces: (F, 3) its triangles.
            centres: (R, 3) of the regions.
        """
        power = (centres**2).sum(axis=1)
        corners = (power - 2 * verts @ centres.T)[faces]
        best = np.take_along_axis(corners, corners.argmin(axis=2)[:, None].repeat(3, axis=1), axis=2)
        beaten = (best[..., None] < corners[:, :, None]).all(axis=1).any(axis=1)
        left = (~beaten).sum(axis=1)
        first, second = np.argsort(beaten, axis=1, kind="stable").take([0, 1], axis=1, mode="clip").T
        second = np.where(left == 1, first, second)
        self.centres, self._open = centres, left > 2
        self._labels = 1 + np.stack([first, second], axis=1).ravel()
        self._normal = np.ascontiguousarray(2 * (centres[second] - centres[first]).T)
        self._offset = power[second] - power[first]

    def __call__(
        self, points: Float[np.ndarray, "N 3"], face: Integer[np.ndarray, " N"]
    ) -> Int64[np.ndarray, " N"]:
        """Region of each point, as `nearest_region` tells it.

        Args:
            points: (N, 3) on the template's faces.
            face: (N,) index of each point's face.
        """
        along = (self._normal.take(face, axis=1) * points.T).sum(axis=0)
        beyond = along > self._offset.take(face)
        labels = self._labels.take(2 * face + beyond)
        searched = np.flatnonzero(self._open.take(face))
        labels[searched] = nearest_region(points[searched], self.centres)
        return labels


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
