"""Ray casting on triangle meshes with Embree: first hits, occlusion and the rays of a camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Bool, Float, Float32, Int32, Integer

Mesh = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Hits:
    """The first surface met by each of N rays.

    Attributes:
        geom_id: (N,) index of the mesh in the scene, -1 where the ray meets nothing.
        prim_id: (N,) index of the triangle in that mesh, -1 where the ray meets nothing.
        u: (N,) weight of the triangle's second corner.
        v: (N,) weight of its third corner; the first has 1 - u - v.
        distance: (N,) distance in lengths of the ray's direction vector, inf where nothing is met.
    """

    geom_id: Int32[np.ndarray, " N"]
    prim_id: Int32[np.ndarray, " N"]
    u: Float32[np.ndarray, " N"]
    v: Float32[np.ndarray, " N"]
    distance: Float32[np.ndarray, " N"]

    @property
    def barycentric(self) -> Float32[np.ndarray, "N 3"]:
        """Weights of the three corners of the triangle met, (N, 3)."""
        return np.stack([1 - self.u - self.v, self.u, self.v], axis=1)


class Scene:
    """Triangle meshes ready for rays; mesh i of the list has geometry index i.

    Embree fixes a scene at its first ray, so all meshes are given at once and a moved mesh needs a new
    scene. Scenes cannot be pickled: build them in the process that casts.
    """

    def __init__(self, meshes: Sequence[Mesh], robust: bool = False):
        """Build the acceleration structure.

        Args:
            meshes: pairs of vertices (V, 3) and faces (F, 3).
            robust: watertight intersections, about 12 % slower: no ray slips through a shared edge.

        Raises:
            ValueError: a mesh has the wrong shape or a face names a vertex that does not exist.
        """
        self._scene = EmbreeScene(robust=robust)
        self._meshes = [self._add(index, verts, faces) for index, (verts, faces) in enumerate(meshes)]

    def _add(self, index: int, verts: np.ndarray, faces: np.ndarray) -> TriangleMesh:
        if verts.ndim != 2 or verts.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(
                f"mesh {index}: expected vertices (V, 3) and faces (F, 3), "
                f"found {verts.shape} and {faces.shape}"
            )
        if len(faces) and (faces.min() < 0 or faces.max() >= len(verts)):
            raise ValueError(
                f"mesh {index}: faces name vertices {faces.min()} to {faces.max()}, "
                f"the mesh has vertices 0 to {len(verts) - 1}"
            )
        return TriangleMesh(
            self._scene,
            np.ascontiguousarray(verts, dtype=np.float32),
            np.ascontiguousarray(faces, dtype=np.int32),
        )

    def cast(
        self,
        origins: Float[np.ndarray, "*#N 3"],
        directions: Float[np.ndarray, "N 3"],
        max_distance: float | Float[np.ndarray, " N"] = np.inf,
    ) -> Hits:
        """Find what each ray meets first.

        Args:
            origins: (N, 3) starts of the rays, or one start (3,) or (1, 3) for all.
            directions: (N, 3) directions, of any length; distances are counted in that length.
            max_distance: surfaces farther than this are not met; one number or (N,).

        Returns:
            The first hits, both sides of a triangle counting alike.
        """
        origins, directions, reach = _rays(origins, directions, max_distance)
        found = self._scene.run(origins, directions, dists=reach, output=1)
        geom_id = found["geomID"]
        distance = np.where(geom_id >= 0, found["tfar"], np.float32(np.inf))
        return Hits(geom_id, found["primID"], found["u"], found["v"], distance)

    def occluded(
        self,
        origins: Float[np.ndarray, "*#N 3"],
        directions: Float[np.ndarray, "N 3"],
        max_distance: float | Float[np.ndarray, " N"] = np.inf,
    ) -> Bool[np.ndarray, " N"]:
        """Tell which rays meet anything at all, at less cost than `cast`; arguments as there."""
        origins, directions, reach = _rays(origins, directions, max_distance)
        return self._scene.run(origins, directions, dists=reach, query="OCCLUDED") >= 0


def _rays(
    origins: np.ndarray, directions: np.ndarray, max_distance: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    directions = np.asarray(directions, dtype=np.float32)
    origins = np.broadcast_to(np.asarray(origins, dtype=np.float32), directions.shape)
    reach = np.full(len(directions), np.minimum(max_distance, 1e37), dtype=np.float32)
    return origins, directions, reach


def camera_rays(
    K: Float[np.ndarray, "3 3"],
    width: int,
    height: int,
    box: tuple[int, int, int, int] | None = None,
) -> Float32[np.ndarray, "h w 3"]:
    """Directions from the camera through pixel centres, in the OpenCV camera frame.

    Args:
        K: (3, 3) intrinsics in pixels; the centre of the first pixel is (0, 0). Given K R instead, the
            directions are those in the frame that R turns into the camera's.
        width: image width in pixels.
        height: image height in pixels.
        box: columns and rows (x0, y0, x1, y1), ends excluded, cut to the image; the whole image by default.

    Returns:
        (h, w, 3) directions of z = 1 in the camera frame, so that a hit's distance is its depth.
    """
    x0, y0, x1, y1 = (0, 0, width, height) if box is None else box
    columns = np.arange(max(x0, 0), min(x1, width))
    rows = np.arange(max(y0, 0), min(y1, height))
    right, down, corner = np.linalg.inv(K).T[..., None, None]
    rays = right * columns + (down * rows[:, None] + corner)
    return np.moveaxis(rays.astype(np.float32), 0, -1)  # axes apart: long rows are quick to work on


def interpolate(
    hits: Hits, faces: Integer[np.ndarray, "F 3"], values: Float[np.ndarray, "V C"]
) -> Float[np.ndarray, "N C"]:
    """Values given at vertices, at the points where rays met one mesh.

    Args:
        hits: N hits, all on the mesh.
        faces: (F, 3) its triangles.
        values: (V, C) one row a vertex.

    Returns:
        (N, C) barycentric means of the three corners' rows.
    """
    corners = values[faces[hits.prim_id]]
    weight = hits.barycentric.astype(values.dtype)
    return np.einsum("nk,nkc->nc", weight, corners)
