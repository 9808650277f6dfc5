"""Solids that objects are built from: box, sphere, solid of revolution, tube and band.

All lengths are metres. A primitive is modelled about its own origin and placed by a rotation and a
translation; distances are negative inside.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rhobin.objects import grids, sweeps
from rhobin.objects.polylines import inside, segment_distance
from rhobin.objects.solid import MeshArrays, Pair, Points, Primitive, Vector


@dataclass(frozen=True, kw_only=True)
class Box(Primitive):
    """A box with optionally rounded edges.

    Attributes:
        size: full widths along x, y, z.
        radius: rounding of the edges.
        spacing: distance of neighbouring vertices that the mesh aims at.
        cuts: coordinates along x, y, z that must be grid lines, for colours with crisp borders.
    """

    size: Vector
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

    profile: tuple[Pair, ...]
    segments: int = 24
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        return sweeps.revolution(self._corners, self._is_ring, self.segments, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        section = np.stack([np.hypot(points[:, 0], points[:, 2]), points[:, 1]], axis=1)
        corners = self._corners
        ends = np.roll(corners, -1, axis=0)
        walls = np.ones(len(corners), dtype=bool)
        walls[-1] = self._is_ring
        distance = segment_distance(section, corners[walls], ends[walls])
        return np.where(inside(section, corners, ends), -distance, distance)

    @property
    def _corners(self) -> np.ndarray:
        return np.asarray(self.profile, dtype=np.float64)

    @property
    def _is_ring(self) -> bool:
        return bool(min(self.profile[0][0], self.profile[-1][0]) > 0)

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

    path: tuple[Vector, ...]
    radius: float
    segments: int = 8
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        return sweeps.sweep(np.asarray(self.path, dtype=np.float64), self.radius, self.segments, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        path = np.asarray(self.path, dtype=np.float64)
        return segment_distance(points, path[:-1], path[1:]) - self.radius

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

    path: tuple[Pair, ...]
    thickness: float
    width: float
    spacing: float = 0.05

    def _own_mesh(self) -> MeshArrays:
        path = np.asarray(self.path, dtype=np.float64)
        return sweeps.band(path, self.thickness / 2, self.width, self.spacing)

    def _own_sdf(self, points: Points) -> Float[np.ndarray, " N"]:
        path = np.asarray(self.path, dtype=np.float64)
        across = segment_distance(points[:, :2], path[:-1], path[1:]) - self.thickness / 2
        along = np.abs(points[:, 2]) - self.width / 2
        outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
        return outside + np.minimum(np.maximum(across, along), 0)

    @property
    def _bulge(self) -> float:
        return self.thickness / 2
