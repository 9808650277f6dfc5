"""Triangle meshes as arrays: areas, normals, surface samples, Chamfer distance."""

import numpy as np
from jaxtyping import Float, Int64, Integer

from rhobin.geometry.backend import BackendName, nearest_distances

Verts = Float[np.ndarray, "V 3"]
Faces = Integer[np.ndarray, "F 3"]


def face_cross(verts: Verts, faces: Faces) -> Float[np.ndarray, "F 3"]:
    """Cross product of two edges of each triangle: its normal, twice its area long."""
    a, b, c = verts[faces[:, 0]], verts[faces[:, 1]], verts[faces[:, 2]]
    return np.cross(b - a, c - a)


def face_areas(verts: Verts, faces: Faces) -> Float[np.ndarray, " F"]:
    """Area of each triangle, (F,), square metres."""
    corners = np.take(np.ascontiguousarray(verts.T), np.ascontiguousarray(faces.T), axis=1)
    (ux, uy, uz), (vx, vy, vz) = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return 0.5 * np.sqrt(x * x + y * y + z * z)


def face_normals(verts: Verts, faces: Faces) -> Float[np.ndarray, "F 3"]:
    """Unit normals of the triangles, (F, 3); zero for a triangle without area."""
    return _unit(face_cross(verts, faces))


def vertex_normals(verts: Verts, faces: Faces) -> Float[np.ndarray, "V 3"]:
    """Unit normals at the vertices, (V, 3): means of the adjacent triangles' normals by area."""
    cross = face_cross(verts, faces)
    total = np.empty_like(verts)
    for axis in range(3):
        total[:, axis] = np.bincount(
            faces.ravel(), weights=np.repeat(cross[:, axis], 3), minlength=len(verts)
        )
    return _unit(total)


def corner_normals(verts: Verts, faces: Faces, crease_deg: float = 40.0) -> Float[np.ndarray, "F 3 3"]:
    """Unit normals of each triangle's corners, smooth over round parts and sharp at edges.

    Args:
        verts: (V, 3) vertices.
        faces: (F, 3) triangles.
        crease_deg: triangles around a vertex share its normal when their own differ by less than this.

    Returns:
        (F, 3, 3) normals by triangle and corner.
    """
    cross = face_cross(verts, faces)
    unit = _unit(cross)
    corner_of, face_of = _corner_pairs(faces, len(verts))
    own = unit[corner_of // 3]
    near = np.einsum("nk,nk->n", own, unit[face_of]) > np.cos(np.deg2rad(crease_deg))
    total = np.zeros((faces.size, 3))
    for axis in range(3):
        weights = np.where(near, cross[face_of, axis], 0.0)
        total[:, axis] = np.bincount(corner_of, weights=weights, minlength=faces.size)
    return _unit(total).reshape(-1, 3, 3)


def _corner_pairs(faces: np.ndarray, n_verts: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pair (corner, face) that meets at a vertex; corner k of face f is 3 f + k."""
    order = np.argsort(faces.ravel(), kind="stable")
    count = np.bincount(faces.ravel(), minlength=n_verts)
    first = np.cumsum(count) - count
    vertex = faces.ravel()
    corner_of = np.repeat(np.arange(faces.size), count[vertex])
    start = np.repeat(first[vertex], count[vertex])
    within = np.arange(len(corner_of)) - np.repeat(np.cumsum(count[vertex]) - count[vertex], count[vertex])
    return corner_of, order[start + within] // 3


def surface_moments(verts: Verts, faces: Faces) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Centre (3,) and covariance (3, 3) of a surface of even density, in closed form."""
    share = face_areas(verts, faces)
    share = share / share.sum()
    corners = verts[faces]
    sums = corners.sum(axis=1)
    centre = share @ sums / 3
    square = np.einsum("n,nki,nkj->ij", share, corners, corners) + np.einsum("n,ni,nj->ij", share, sums, sums)
    return centre, square / 12 - np.outer(centre, centre)


def sample_barycentric(
    verts: Verts, faces: Faces, n: int, rng: np.random.Generator, ordered: bool = False
) -> tuple[Int64[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Draw points uniformly over a surface, as triangle indices and corner weights.

    Args:
        verts: (V, 3) vertices, metres.
        faces: (F, 3) triangles.
        n: number of points.
        rng: source of randomness.
        ordered: the same points sorted by triangle; neighbours in memory make searches faster.

    Returns:
        Triangle index (n,) and weights of its corners (n, 3).

    Raises:
        ValueError: the surface has no area or its vertices are not finite.
    """
    cumulative = np.cumsum(face_areas(verts, faces))
    if not (len(cumulative) and np.isfinite(cumulative[-1]) and cumulative[-1] > 0):
        found = cumulative[-1] if len(cumulative) else "no faces"
        raise ValueError(f"expected a surface with a positive finite area to sample, found {found}")
    at, root, split = rng.random(n) * cumulative[-1], np.sqrt(rng.random(n)), rng.random(n)
    if ordered:
        order = np.argsort(at)
        at, root, split = at[order], root[order], split[order]
    face_ids = np.searchsorted(cumulative, at, side="right")
    face_ids = np.minimum(face_ids, len(faces) - 1).astype(np.int64)
    return face_ids, np.stack([1 - root, root * (1 - split), root * split], axis=1)


def points_at(
    verts: Verts,
    faces: Faces,
    face_ids: Integer[np.ndarray, " n"],
    weights: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "n 3"]:
    """Points of a surface given by triangle (n,) and corner weights (n, 3)."""
    return np.einsum("nk,nkc->nc", weights, verts[faces[face_ids]])


def sample_surface(verts: Verts, faces: Faces, n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Draw n points uniformly over a surface, (n, 3); arguments and errors of `sample_barycentric`."""
    return points_at(verts, faces, *sample_barycentric(verts, faces, n, rng))


def chamfer_sum(
    a: Float[np.ndarray, "N 3"], b: Float[np.ndarray, "M 3"], using: BackendName | None = "cpu"
) -> float:
    """Chamfer distance of the challenge: the sum of both mean, unsquared nearest distances.

    Args:
        a: (N, 3) points.
        b: (M, 3) points.
        using: implementation of the search; None takes the process's own.

    Returns:
        Mean distance a to b plus mean distance b to a, in the unit of the points.
    """
    return float(nearest_distances(a, b, using).mean() + nearest_distances(b, a, using).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
