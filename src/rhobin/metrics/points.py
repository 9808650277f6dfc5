"""Points of an object at which pose errors are taken, with what makes their maxima quick to find."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

DIRECTIONS = 48


@dataclass(frozen=True)
class PointSet:
    """Points of an object.

    Attributes:
        points: (P, 3) in the template's frame, metres.
    """

    points: Float[np.ndarray, "P 3"]

    @cached_property
    def hull(self) -> Float[np.ndarray, "H 3"]:
        """Vertices of the convex hull; all points where they lie in a plane."""
        try:
            return self.points[ConvexHull(self.points).vertices]
        except (QhullError, ValueError):
            return self.points

    @cached_property
    def corners(self) -> Float[np.ndarray, "C 3"]:
        """A few hull points, farthest in directions spread over the sphere."""
        index = np.arange(DIRECTIONS) + 0.5
        height, turn = 1 - 2 * index / DIRECTIONS, np.pi * (1 + 5**0.5) * index
        ring = np.sqrt(1 - height**2)
        directions = np.column_stack([ring * np.cos(turn), ring * np.sin(turn), height])
        return self.hull[np.unique((self.hull @ directions.T).argmax(axis=0))]

    @cached_property
    def diameter(self) -> float:
        """Largest distance between two points, metres."""
        return max(
            float(cdist(part, self.hull).max())
            for part in np.array_split(self.hull, 1 + len(self.hull) // 500)
        )
