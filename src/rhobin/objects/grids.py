"""Vertex grids of the primitives and the plane geometry of their distances."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int64

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
    pieces = [_steps(a, b, spacing)[:-1] for a, b in pairwise(stops)]
    return np.append(np.concatenate(pieces), half)


def _steps(start: float, end: float, spacing: float) -> np.ndarray:
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
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        pairs, index = np.unique(edges, axis=0, return_inverse=True)
        ab, bc, ca = index.reshape(3, -1) + len(verts)
        verts = np.concatenate([verts, unit(verts[pairs].mean(axis=1))])
        a, b, c = faces.T
        children = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = np.concatenate([np.stack(child, axis=1) for child in children])
    return verts, faces


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


def revolution(
    corners: Float[np.ndarray, "P 2"], is_ring: bool, segments: int, spacing: float
) -> tuple[Verts, Faces]:
    """Surface swept by a section in (r, y) about the y axis; see `primitives.Lathe`."""
    ends = np.roll(corners, -1, axis=0) if is_ring else corners[1:]
    pieces = [
        _steps(0, float(np.linalg.norm(b - a)), spacing)[:-1, None] * unit(b - a) + a
        for a, b in zip(corners, ends, strict=False)
    ]
    outline = np.concatenate(pieces)
    angle = 2 * np.pi * np.arange(segments) / segments
    around = np.stack([np.sin(angle), np.cos(angle)])
    poles = [] if is_ring else [corners[:1], corners[-1:]]
    rings = outline if is_ring else outline[1:]
    verts = _turned(rings, around)
    quads = _ring_quads(len(rings), segments, closed=is_ring)
    faces = triangles(quads)
    if not is_ring:
        verts = np.concatenate([verts, *[_on_axis(pole) for pole in poles]])
        faces = np.concatenate([faces, _fans(len(rings), segments)])
    return verts, faces


def _turned(section: np.ndarray, around: np.ndarray) -> np.ndarray:
    radius, height = section.T
    x, z = radius[:, None] * around[0], radius[:, None] * around[1]
    return np.stack([x, np.broadcast_to(height[:, None], x.shape), z], axis=2).reshape(-1, 3)


def _on_axis(pole: np.ndarray) -> np.ndarray:
    return np.array([[0.0, pole[0, 1], 0.0]])


def _ring_quads(rings: int, segments: int, closed: bool) -> np.ndarray:
    """Cells between consecutive rings of vertices, facing outwards for rings that follow the surface up."""
    step = np.arange(segments)
    ring = np.arange(rings if closed else rings - 1)
    low = (ring[:, None] * segments + step).ravel()
    low_next = (ring[:, None] * segments + (step + 1) % segments).ravel()
    high = ((ring[:, None] + 1) % rings * segments + step).ravel()
    high_next = ((ring[:, None] + 1) % rings * segments + (step + 1) % segments).ravel()
    return np.stack([low, low_next, high_next, high], axis=1)


def _fans(rings: int, segments: int) -> np.ndarray:
    """Triangles that close the first and the last ring with the two poles numbered after the rings."""
    step = np.arange(segments)
    after = (step + 1) % segments
    last = (rings - 1) * segments
    south = np.full(segments, rings * segments)
    first_fan = np.stack([south, after, step], axis=1)
    last_fan = np.stack([south + 1, last + step, last + after], axis=1)
    return np.concatenate([first_fan, last_fan])


def sweep(
    path: Float[np.ndarray, "P 3"], radius: float, segments: int, spacing: float
) -> tuple[Verts, Faces]:
    """Surface of a round bar along a chain of points, with rounded ends."""
    points = _resampled(path, spacing)
    tangents = unit(np.gradient(points, axis=0))
    sides = _carried_side(tangents)
    angle = 2 * np.pi * np.arange(segments) / segments
    around = (
        sides[:, None] * np.cos(angle)[:, None] + np.cross(tangents, sides)[:, None] * np.sin(angle)[:, None]
    )
    rings = points[:, None] + radius * around
    slant = np.sqrt(0.5) * radius
    before = points[0] + slant * around[0] - slant * tangents[0]
    after = points[-1] + slant * around[-1] + slant * tangents[-1]
    poles = np.stack([points[0] - radius * tangents[0], points[-1] + radius * tangents[-1]])
    verts = np.concatenate([before, rings.reshape(-1, 3), after, poles])
    count = len(points) + 2
    quads = _ring_quads(count, segments, closed=False)
    return verts, np.concatenate([triangles(quads), _fans(count, segments)])


def _resampled(path: np.ndarray, spacing: float) -> np.ndarray:
    steps = [_steps(0, 1, spacing / float(np.linalg.norm(b - a)))[:-1, None] for a, b in pairwise(path)]
    pieces = [a + step * (b - a) for step, (a, b) in zip(steps, pairwise(path), strict=True)]
    return np.concatenate([*pieces, path[-1:]])


def _carried_side(tangents: np.ndarray) -> np.ndarray:
    """A unit vector across each tangent, turning as little as possible from one to the next."""
    start = np.eye(3)[np.argmin(np.abs(tangents[0]))]
    sides = []
    for tangent in tangents:
        start = unit(start - (start @ tangent) * tangent)
        sides.append(start)
    return np.array(sides)


def band(path: Float[np.ndarray, "P 2"], half: float, width: float, spacing: float) -> tuple[Verts, Faces]:
    """Surface of a band: a thickened chain of points in the xy plane drawn out along z."""
    points = _resampled(path, spacing)
    tangents = unit(np.gradient(points, axis=0))
    across = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    slant = half * np.sqrt(0.5)
    before, after = points[:1] - slant * tangents[:1], points[-1:] + slant * tangents[-1:]
    right = np.concatenate([before - slant * across[:1], points - half * across, after - slant * across[-1:]])
    left = np.concatenate([before + slant * across[:1], points + half * across, after + slant * across[-1:]])
    tips = points[[0, -1]] + half * np.array([[-1.0], [1.0]]) * tangents[[0, -1]]
    outline = np.concatenate([tips[:1], right, tips[1:], left[::-1]])
    layers = _steps(-width / 2, width / 2, spacing)
    count = len(outline)
    flat = np.tile(outline, (len(layers), 1))
    verts = np.column_stack([flat, np.repeat(layers, count)])
    wall = triangles(_ring_quads(len(layers), count, closed=False))
    cap = _band_cap(len(right))
    return verts, np.concatenate([wall, cap[:, ::-1], cap + (len(layers) - 1) * count])


def _band_cap(n: int) -> np.ndarray:
    """Triangles, facing +z, over the outline start, right side (n), end, left side backwards (n)."""
    right = 1 + np.arange(n)
    left = 2 * n + 1 - np.arange(n)
    quads = np.stack([right[:-1], right[1:], left[1:], left[:-1]], axis=1)
    tips = np.array([[0, right[0], left[0]], [right[-1], n + 1, left[-1]]])
    return np.concatenate([triangles(quads), tips])


def segment_distance(
    points: Float[np.ndarray, "N D"], starts: Float[np.ndarray, "S D"], ends: Float[np.ndarray, "S D"]
) -> Float[np.ndarray, " N"]:
    """Distance from each point to the nearest of S line segments, (N,)."""
    nearest = np.full(len(points), np.inf)
    for start, end in zip(starts, ends, strict=True):
        along = end - start
        offset = points - start
        share = np.clip(offset @ along / max(float(along @ along), 1e-18), 0, 1)
        rest = offset - share[:, None] * along
        nearest = np.minimum(nearest, np.einsum("nd,nd->n", rest, rest))
    return np.sqrt(nearest)


def inside(
    points: Float[np.ndarray, "N 2"], starts: Float[np.ndarray, "S 2"], ends: Float[np.ndarray, "S 2"]
) -> Bool[np.ndarray, " N"]:
    """Whether points of the plane lie inside the polygon of S edges (even-odd rule), (N,)."""
    result = np.zeros(len(points), dtype=bool)
    x, y = points.T
    for (ax, ay), (bx, by) in zip(starts, ends, strict=True):
        if ay != by:
            spans = (ay > y) != (by > y)
            result ^= spans & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return result


def frame_along(direction: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """A rotation that takes the y axis to a unit vector, turning as little as possible."""
    x, y, z = direction
    if y < -1 + 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    bend = 1 / (1 + y)
    return np.array(
        [
            [1 - x * x * bend, x, -x * z * bend],
            [-x, y, -z],
            [-x * z * bend, z, 1 - z * z * bend],
        ]
    )
