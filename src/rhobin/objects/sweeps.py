"""Vertex grids over swept surfaces: solids of revolution, bars along a path, bands."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from rhobin.objects.grids import Faces, Verts, steps, triangles, unit


def revolution(
    corners: Float[np.ndarray, "P 2"], is_ring: bool, segments: int, spacing: float
) -> tuple[Verts, Faces]:
    """Surface swept by a section in (r, y) about the y axis; see `primitives.Lathe`."""
    ends = np.roll(corners, -1, axis=0) if is_ring else corners[1:]
    pieces = [
        steps(0.0, float(np.linalg.norm(b - a)), spacing)[:-1, None] * unit(b - a) + a
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
    shares = [steps(0.0, 1.0, spacing / float(np.linalg.norm(b - a)))[:-1, None] for a, b in pairwise(path)]
    pieces = [a + share * (b - a) for share, (a, b) in zip(shares, pairwise(path), strict=True)]
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
    layers = steps(-width / 2, width / 2, spacing)
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
