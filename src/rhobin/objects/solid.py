"""What every primitive solid offers: a watertight mesh and a signed distance, placed in an object's frame."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int64

Points = Float[np.ndarray, "N 3"]
Pair = tuple[float | int, float | int]
Vector = tuple[float | int, float | int, float | int]
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

    def placed(self, centre: Vector, rotation: Float[np.ndarray, "3 3"] | None = None) -> "Primitive":
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
