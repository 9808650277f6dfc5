"""How far motions take a surface from itself, measured on surface samples and their tangent discs."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rhobin.geometry.mesh import (
    Faces,
    Verts,
    face_areas,
    face_normals,
    points_at,
    sample_barycentric,
    sample_surface,
    surface_moments,
)
from rhobin.objects.symmetry import Rotations

SAMPLES = 30_000
FOLLOWED = 800
REFINED = 300
STEPS = 6
VOXELS = 64
PEAK = 0.98

Points = Float[np.ndarray, "*N 3"]


class Surface:
    """A surface that stays while copies of it are turned.

    Attributes:
        centre: (3,) of the surface, an area at even density; metres as the vertices.
        followed: (N, 3) points spread evenly over the surface, which motions move.
    """

    def __init__(self, verts: Verts, faces: Faces):
        """Spread samples over a mesh.

        Args:
            verts: (V, 3) vertices.
            faces: (F, 3) triangles.

        Raises:
            ValueError: the surface has no area.
        """
        rng = np.random.default_rng(0)
        face_ids, weights = sample_barycentric(verts, faces, SAMPLES, rng)
        self._points = points_at(verts, faces, face_ids, weights)
        self._normals = face_normals(verts, faces)[face_ids]
        self._disc = 1.5 * float(np.sqrt(face_areas(verts, faces).sum() / SAMPLES))
        self._tree = cKDTree(self._points)
        self.followed = sample_surface(verts, faces, FOLLOWED, rng)
        self.centre, _ = surface_moments(verts, faces)

    @cached_property
    def _grid(self) -> "_Grid":
        return _Grid(self._points)

    def nearest(self, points: Points, rough: bool = False) -> tuple[Points, Points]:
        """The samples nearest to points (..., 3), to a cell of the grid if `rough`, and their normals."""
        index = self._grid.nearest[self._grid.cells(points)] if rough else self._tree.query(points)[1]
        return self._points[index], self._normals[index]

    def distances(self, points: Points, rough: bool = False) -> Float[np.ndarray, "*N"]:
        """Distances of points (..., 3) to the surface: to the disc about the nearest sample."""
        at, normals = self.nearest(points, rough)
        gap = points - at
        above = np.einsum("...c,...c->...", gap, normals)
        beside = np.linalg.norm(gap - above[..., None] * normals, axis=-1)
        return np.hypot(above, np.maximum(beside - self._disc, 0.0))

    def strays(
        self, rotations: Rotations, centre: Float[np.ndarray, "3"], rough: bool = False
    ) -> tuple[Float[np.ndarray, " S"], Float[np.ndarray, " S"]]:
        """How far turns about a centre take the surface from itself.

        Args:
            rotations: (S, 3, 3).
            centre: (3,) a point that stays.
            rough: by the grid, and a cell less: never more than it is.

        Returns:
            Mean distance (S,) and the one that 2 % of the surface exceed (S,), metres.
        """
        moved = np.einsum("sij,nj->sni", rotations, self.followed - centre) + centre
        gaps = np.maximum(self.distances(moved, rough) - (self._grid.cell if rough else 0.0), 0.0)
        return gaps.mean(axis=1), np.quantile(gaps, PEAK, axis=1)

    def across(self, rotations: Rotations, centre: Float[np.ndarray, "3"]) -> Float[np.ndarray, " S"]:
        """Diameter (S,) of the surface about the axis of each turn: what its errors are compared with.

        A reflection's axis is its plane's normal: it is a half turn about that, and every sign changed.
        """
        axes = Rotation.from_matrix(rotations * np.sign(np.linalg.det(rotations))[:, None, None]).as_rotvec()
        length = np.linalg.norm(axes, axis=1, keepdims=True)
        axes = axes / np.where(length > 0, length, 1)
        offset = self.followed - centre
        along = offset @ axes.T
        return 2 * np.sqrt(np.maximum((offset**2).sum(axis=1)[:, None] - along**2, 0).max(axis=0))

    def rough(self, rotations: Rotations, points: int = 200) -> Float[np.ndarray, " S"]:
        """Mean distances (S,) after turns about the surface's centre, to a 64th of the size and fast."""
        arm = self.followed[:points] - self.centre
        moved = np.einsum("sij,nj->sni", rotations, arm) + self.centre
        return self._grid.distance[self._grid.cells(moved)].mean(axis=1)

    def refine(
        self, rotations: Rotations, centre: Float[np.ndarray, "3"], rough: bool = False
    ) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
        """Turn a group's axes and shift its centre so that the surface strays least from itself.

        Gauss-Newton on distances to the planes about the nearest samples; what lies far from its mirror
        (a handle, a lid) counts less and less.

        Args:
            rotations: (S, 3, 3) members of the group, the identity not among them.
            centre: (3,) to begin with.
            rough: look nearest samples up in a grid: thirty times as fast, to start with.

        Returns:
            A rotation (3, 3) to turn the group by, T R T', and the centre (3,).
        """
        turn, size = np.eye(3), float(self.across(rotations, centre).max())
        followed, doubt = self.followed[:REFINED], 0.05 * size
        for _ in range(STEPS):
            members = turn @ rotations @ turn.T
            arm = followed - centre
            swung = np.einsum("sij,nj->sni", members, arm)
            at, normals = self.nearest(swung + centre, rough)
            back = np.einsum("sij,sni->snj", members, normals)
            away = np.einsum("snc,snc->sn", normals, swung + centre - at)
            turning, shifting = np.cross(swung, normals) - np.cross(arm, back), normals - back
            weight = 1 / (1 + (away / doubt) ** 2)
            slopes = np.concatenate([turning, size * shifting], axis=2) * weight[..., None]
            step = np.linalg.lstsq(slopes.reshape(-1, 6), -(away * weight).ravel(), rcond=1e-3)[0]
            turn = Rotation.from_rotvec(step[:3]).as_matrix() @ turn
            centre = centre + size * step[3:]
            doubt = max(doubt / 2, 2 * self._disc)
        return turn, centre


class _Grid:
    """A box of cells that know the sample nearest to them, and how far it is."""

    def __init__(self, points: Float[np.ndarray, "N 3"]):
        low, high = points.min(axis=0), points.max(axis=0)
        self.cell = float(np.linalg.norm(high - low)) / (VOXELS - 2)
        self._corner = (low + high) / 2 - self.cell * VOXELS / 2
        owner = np.full((VOXELS,) * 3, -1)
        owner[self.cells(points)] = np.arange(len(points))
        self.distance, place = distance_transform_edt(owner < 0, sampling=self.cell, return_indices=True)
        self.nearest = owner[tuple(place)]

    def cells(self, points: Points) -> tuple[np.ndarray, ...]:
        index = np.clip(((points - self._corner) / self.cell).astype(int), 0, VOXELS - 1)
        return tuple(np.moveaxis(index, -1, 0))
