"""A template at a pose, asked for distances and for points on its surface, quickly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.people.pose import unit

_FAR = 0.05  # distances beyond this are only bounded from below
_RAY_STEPS = 160


class Infeasible(Exception):  # noqa: N818 - a verdict about a candidate, not a failure of the program
    """A candidate pose that cannot be completed; draw another."""


class OutOfReach(Infeasible):
    """An arm or leg is too short for its target."""


@dataclass(frozen=True)
class Placed:
    """A template at a pose: ``X = R x + t``."""

    template: Template
    R: np.ndarray
    t: np.ndarray

    def sdf(self, points: np.ndarray) -> np.ndarray:
        """Signed distances (n,) of points (n, 3); farther than 5 cm only a lower bound of them."""
        return _distance(self.template, (points - self.t) @ self.R)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner (3,) of the template in its own frame."""
        return _corners(self.template)

    @property
    def size(self) -> np.ndarray:
        """Extents (3,) of the template in its own frame."""
        low, high = self.bounds
        return high - low

    @property
    def verts(self) -> np.ndarray:
        """Placed vertices (n, 3)."""
        return self.template.verts @ self.R.T + self.t

    @property
    def bottom(self) -> float:
        """Height of the lowest vertex."""
        return float((self.template.verts @ self.R[1]).min() + self.t[1])

    def to_room(self, point: np.ndarray) -> np.ndarray:
        """A point (3,) of the template's frame where the object is."""
        return self.R @ point + self.t

    def moved(self, shift: np.ndarray) -> Placed:
        """The same object translated."""
        return replace(self, t=self.t + shift)

    def hit(self, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First surface point (3,) along a ray from outside, and the outward normal (3,) there.

        Raises:
            Infeasible: the ray misses.
        """
        o, d = (origin - self.t) @ self.R, unit(direction) @ self.R
        start, end = _span(o, d, *self.bounds)
        if start >= end:
            raise Infeasible("a ray misses the object")
        for _ in range(2):
            along = np.linspace(start, end, _RAY_STEPS)
            distance = _distance(self.template, o + along[:, None] * d)
            inside = np.flatnonzero(distance < 0.0)
            if len(inside) == 0:
                raise Infeasible("a ray misses the object")
            start, end = along[max(0, inside[0] - 1)], along[inside[0]]
        return self.to_room(o + end * d), self._normal(o + end * d)

    def _normal(self, local: np.ndarray) -> np.ndarray:
        """Outward normal (3,) near a surface point, by central differences over 4 mm."""
        step = np.concatenate([np.eye(3), -np.eye(3)]) * 0.002
        distance = _distance(self.template, local + step)
        slope = distance[:3] - distance[3:]
        if slope @ slope < 1e-12:
            raise Infeasible("no surface normal")
        return self.R @ unit(slope)


def _span(o: np.ndarray, d: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Where a ray enters and leaves a box grown by a centimetre."""
    with np.errstate(divide="ignore"):
        a, b = (low - 0.01 - o) / d, (high + 0.01 - o) / d
    return max(0.0, float(np.minimum(a, b).max())), float(np.maximum(a, b).min())


@lru_cache(maxsize=64)
def _corners(template: Template) -> tuple[np.ndarray, np.ndarray]:
    return template.verts.min(axis=0), template.verts.max(axis=0)


@lru_cache(maxsize=64)
def _part_boxes(template: Template) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.stack([part.bounds for part in template.parts])
    return boxes[:, 0], boxes[:, 1]


def _distance(template: Template, local: np.ndarray) -> np.ndarray:
    """Signed distance (n,) to the union of the parts near it, the distance to their boxes elsewhere."""
    lows, highs = _part_boxes(template)
    distance = _outside(local, lows.min(axis=0), highs.max(axis=0))
    near = np.flatnonzero(distance < _FAR)
    if len(near) == 0:
        return distance
    points = local[near]
    nearest = np.full(len(near), np.inf)
    for part, part_low, part_high in zip(template.parts, lows, highs, strict=True):
        bound = _outside(points, part_low, part_high)
        close = np.flatnonzero(bound < _FAR)
        if len(close):
            bound[close] = part.sdf(points[close])
        np.minimum(nearest, bound, out=nearest)
    distance[near] = nearest
    return distance


def _outside(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Distance (n,) of points (n, 3) to a box, 0 inside."""
    beyond = np.maximum(low - points, points - high)
    np.maximum(beyond, 0.0, out=beyond)
    return np.sqrt(np.einsum("na,na->n", beyond, beyond))
