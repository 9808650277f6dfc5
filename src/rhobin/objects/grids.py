"""Vertex grids over boxes and spheres."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int64

Verts = Float[np.ndarray, "V D"]
Faces = Int64[np.ndarray, "F 3"]


def unit(vectors: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N D"]:
    """Vectors scaled to length one; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def lines(half: float, spacing: float, cuts: tuple[float, ...], radius: float) -> Float[np.ndarray, " n"]:
    """Grid lines from -half to half: the cuts, the borders of the rounding, and even steps between."""
    fixed = {-half, half, *cuts}
    if radius > 0:
        flat = half - radius
        arc = [flat, flat + radius * np.tan(np.pi / 8)] if radius > 0.5 * spacing else [flat]
        fixed |= {side * line for line in arc for side in (-1, 1)}
    stops = sorted(fixed)
    pieces = [steps(a, b, spacing)[:-1] for a, b in pairwise(stops)]
    return np.append(np.concatenate(pieces), half)


def steps(start: float, end: float, spacing: float) -> Float[np.ndarray, " n"]:
    """Even steps of about `spacing` from start to end, both included."""
    return np.linspace(start, end, max(1, round(abs(end - start) / spacing)) + 1)


def box(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[Verts, Faces]:
    """Closed surface of a box over the grid lines of its three axes; corners are shared."""
    axes = (x, y, z)
    keys: list[np.ndarray] = []
    quads: list[np.ndarray] = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        a, b = np.meshgrid(np.arange(len(axes[first])), np.arange(len(axes[second])), indexing="ij")
        quad = quad_ids(*a.shape)
        for side, layer in ((0, quad[:, ::-1]), (len(axes[axis]) - 1, quad)):
            key = np.full((a.size, 3), side)
            key[:, first], key[:, second] = a.ravel(), b.ravel()
            quads.append(layer + sum(map(len, keys)))
            keys.append(key)
    lattice, index = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    verts = np.stack([axes[axis][lattice[:, axis]] for axis in range(3)], axis=1)
    return verts, triangles(index.ravel()[np.concatenate(quads)])


def quad_ids(rows: int, columns: int) -> Int64[np.ndarray, "Q 4"]:
    """Corner indices of the cells of a rows x columns grid numbered row by row."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    return np.stack([corner, corner + columns, corner + columns + 1, corner + 1], axis=1).astype(np.int64)


def triangles(quads: Int64[np.ndarray, "Q 4"]) -> Faces:
    """Two triangles for each quad, next to each other."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)


def icosphere(level: int) -> tuple[Verts, Faces]:
    """Unit sphere: a regular icosahedron whose triangles are halved `level` times."""
    verts, faces = icosahedron()
    for _ in range(level):
        kept = len(verts)
        verts, faces = halved(verts, faces)
        verts = np.concatenate([verts[:kept], unit(verts[kept:])])
    return verts, faces


def halved(verts: Verts, faces: Faces) -> tuple[Float[np.ndarray, "W D"], Int64[np.ndarray, "G 3"]]:
    """A mesh with each edge halved: the old vertices, then the middles; child k of face f is f + k F."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    pairs, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = index.reshape(3, -1) + len(verts)
    a, b, c = faces.T
    children = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    middles = verts[pairs].mean(axis=1)
    return np.concatenate([verts, middles]), np.concatenate([np.stack(child, axis=1) for child in children])


def icosahedron() -> tuple[Verts, Faces]:
    """Regular icosahedron of unit circumradius with two-fold axes along x, y and z."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [(0.0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    verts = unit(np.array([np.roll(corner, shift) for shift in range(3) for corner in corners]))
    reach = np.linalg.norm(verts[:, None] - verts[None], axis=2)
    near = (reach > 0.1) & (reach < 1.2)
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    return verts, _outward(verts, np.array(faces, dtype=np.int64))


def _outward(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = verts[faces[:, 0]], verts[faces[:, 1]], verts[faces[:, 2]]
    inward = np.einsum("nk,nk->n", np.cross(b - a, c - a), a) < 0
    return np.where(inward[:, None], faces[:, ::-1], faces)
