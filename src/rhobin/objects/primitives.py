"""Solid primitives that objects are built from: a watertight mesh and a signed distance for each.

All lengths are metres. A primitive is modelled about its own origin and placed by a rotation and a
translation; distances are negative inside.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int64

from rhobin.objects import grids

Points = Float[np.ndarray, "N 3"]
MeshArrays = tuple[Float[np.ndarray, "V 3"], Int64[np.ndarray, "F 3"]]


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """A solid placed in an object's frame.

    Attributes:
        rotation: (3, 3) from the primitive's own frame.
        centre: (3,) where the primitive's origin lies.
    """

    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    centre: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def mesh(self) -> MeshArrays:
        """Closed mesh with outward triangles: vertices (V, 3) and faces (F, 3)."""
        verts, faces = self._own_mesh()
        return verts @ self.rotation.T + self.centre, faces

    def sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        """Signed distance of points (N, 3) to the surface, (N,), negative inside."""
        own = points - self.centre
        return self._own_sdf(own if self._upright else own @ self.rotation)

    def moved(self, offset: Float[np.ndarray, "3"]) -> "Primitive":
        """The same primitive translated by `offset` (3,)."""
        return replace(self, centre=self.centre + offset)

    def placed(
        self, centre: tuple[float, float, float], rotation: Float[np.ndarray, "3 3"] | None = None
    ) -> "Primitive":
        """The same primitive with its origin at `centre`, turned by `rotation`."""
        turn = np.eye(3) if rotation is None else rotation
        return replace(self, centre=np.asarray(centre, dtype=np.float64), rotation=turn)

    @cached_property
    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """Corners of an axis-aligned box that holds the solid, (2, 3)."""
        verts, _ = self.mesh()
        slack = self._bulge
        return np.stack([verts.min(axis=0) - slack, verts.max(axis=0) + slack])

    @cached_property
    def _upright(self) -> bool:
        return bool(np.array_equal(self.rotation, np.eye(3)))

    @property
    def _bulge(self) -> float:
        """How far the exact solid can stand out of its mesh."""
        return 0.0

    def _own_mesh(self) -> MeshArrays:
        raise NotImplementedError

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Box(Primitive):
    """A box with optionally rounded edges.

    Attributes:
        size: full widths along x, y, z.
        radius: rounding of the edges.
        spacing: distance of neighbouring vertices that the mesh aims at.
        cuts: coordinates along x, y, z that must be grid lines, for colours with crisp borders.
    """

    size: tuple[float, float, float]
    radius: float = 0.0
    spacing: float = 0.05
    cuts: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]] = ((), (), ())

    def _own_mesh(self) -> MeshArrays:
        lines = [
            grids.lines(size / 2, self.spacing, cuts, self.radius)
            for size, cuts in zip(self.size, self.cuts, strict=True)
        ]
        verts, faces = grids.box(*lines)
        if self.radius > 0:
            core = np.clip(verts, -self._core, self._core)
            verts = core + self.radius * grids.unit(verts - core)
        return verts, faces

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        beyond = np.abs(points) - self._core
        outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
        return outside + np.minimum(beyond.max(axis=1), 0) - self.radius

    @property
    def _bulge(self) -> float:
        return 0.3 * self.radius

    @property
    def _core(self) -> np.ndarray:
        return np.asarray(self.size) / 2 - self.radius


@dataclass(frozen=True, kw_only=True)
class Sphere(Primitive):
    """A ball, meshed as an icosahedron subdivided `level` times (642 vertices for 3)."""

    radius: float
    level: int = 3

    def _own_mesh(self) -> MeshArrays:
        verts, faces = grids.icosphere(self.level)
        return verts * self.radius, faces

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        return np.linalg.norm(points, axis=1) - self.radius

    @property
    def _bulge(self) -> float:
        return 0.05 * self.radius


@dataclass(frozen=True, kw_only=True)
class Lathe(Primitive):
    """A solid of revolution about y.

    Attributes:
        profile: (r, y) corners of the section, counter-clockwise (r to the right, y up). It starts and
            ends on the axis (r = 0), or is a loop away from the axis, then the solid is a ring.
        segments: steps around the axis.
        spacing: distance of neighbouring rings of vertices that the mesh aims at.
    """

    profile: tuple[tuple[float, float], ...]
    segments: int = 24
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        return grids.revolution(self._corners, self._is_ring, self.segments, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        section = np.stack([np.hypot(points[:, 0], points[:, 2]), points[:, 1]], axis=1)
        corners = self._corners
        ends = np.roll(corners, -1, axis=0)
        walls = np.ones(len(corners), dtype=bool)
        walls[-1] = self._is_ring
        distance = grids.segment_distance(section, corners[walls], ends[walls])
        return np.where(grids.inside(section, corners, ends), -distance, distance)

    @property
    def _corners(self) -> np.ndarray:
        return np.asarray(self.profile, dtype=np.float64)

    @property
    def _is_ring(self) -> bool:
        return min(self.profile[0][0], self.profile[-1][0]) > 0

    @property
    def _bulge(self) -> float:
        return float(self._corners[:, 0].max() * (1 - np.cos(np.pi / self.segments)))


@dataclass(frozen=True, kw_only=True)
class Tube(Primitive):
    """A round bar along a chain of points, with hemispherical ends.

    Attributes:
        path: (x, y, z) points of the centre line.
        radius: of the bar.
        segments: steps around it.
        spacing: distance of neighbouring rings of vertices that the mesh aims at.
    """

    path: tuple[tuple[float, float, float], ...]
    radius: float
    segments: int = 8
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        return grids.sweep(np.asarray(self.path, dtype=np.float64), self.radius, self.segments, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        path = np.asarray(self.path, dtype=np.float64)
        return grids.segment_distance(points, path[:-1], path[1:]) - self.radius

    @property
    def _bulge(self) -> float:
        return self.radius


@dataclass(frozen=True, kw_only=True)
class Strip(Primitive):
    """A band of even thickness: a chain of points in the xy plane, thickened and drawn out along z.

    Attributes:
        path: (x, y) points of the section's centre line.
        thickness: of the band; its two edges along the path's ends are rounded.
        width: along z.
        spacing: distance of neighbouring vertices that the mesh aims at.
    """

    path: tuple[tuple[float, float], ...]
    thickness: float
    width: float
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        path = np.asarray(self.path, dtype=np.float64)
        return grids.band(path, self.thickness / 2, self.width, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        path = np.asarray(self.path, dtype=np.float64)
        across = grids.segment_distance(points[:, :2], path[:-1], path[1:]) - self.thickness / 2
        along = np.abs(points[:, 2]) - self.width / 2
        outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
        return outside + np.minimum(np.maximum(across, along), 0)

    @property
    def _bulge(self) -> float:
        return self.thickness / 2


def cylinder(radius: float, height: float, segments: int = 24, spacing: float = 0.05) -> Lathe:
    """A round bar with flat ends along y, centred at the origin."""
    return frustum(radius, radius, height, segments, spacing)


def frustum(bottom: float, top: float, height: float, segments: int = 24, spacing: float = 0.05) -> Lathe:
    """A truncated cone along y, centred at the origin, with the given end radii."""
    profile = ((0.0, -height / 2), (bottom, -height / 2), (top, height / 2), (0.0, height / 2))
    return Lathe(profile=profile, segments=segments, spacing=spacing)


def ring(radius: float, thickness: float, segments: int = 24, sides: int = 8) -> Lathe:
    """A torus about y: `radius` to the centre of the bar, whose section is a polygon."""
    angle = 2 * np.pi * np.arange(sides) / sides
    half = thickness / 2
    profile = tuple((radius + half * np.cos(a), half * np.sin(a)) for a in angle)
    return Lathe(profile=profile, segments=segments, spacing=thickness)


def rod(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
    end_radius: float | None = None,
    segments: int = 8,
    spacing: float = 0.05,
) -> Primitive:
    """A round bar with flat ends from `start` to `end`, tapering to `end_radius` when given."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    bar = frustum(radius, radius if end_radius is None else end_radius, length, segments, spacing)
    middle = (a + b) / 2
    return bar.placed((middle[0], middle[1], middle[2]), grids.frame_along((b - a) / length))
