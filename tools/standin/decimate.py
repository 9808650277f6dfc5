"""Mirror-symmetric decimation that keeps a subset of the vertices (half-edge collapse, quadric error)."""

from __future__ import annotations

import heapq

import numpy as np

SLIVER = 0.15  # a collapse may not leave a triangle below this share of an equilateral one's area


def decimate_symmetric(
    verts: np.ndarray, faces: np.ndarray, mirror: np.ndarray, target: int
) -> tuple[np.ndarray, np.ndarray]:
    """Decimate the half x >= 0 with its seam locked and mirror the result.

    Args:
        verts: (V, 3) vertices of a symmetric closed surface.
        faces: (F, 3) triangles.
        mirror: (V,) counterpart of each vertex.
        target: number of vertices to keep.

    Returns:
        (target,) kept vertex ids, ascending, and (F', 3) faces indexing into them.

    Source: Garland and Heckbert, Surface simplification using quadric error metrics (1997).
    """
    seam = mirror == np.arange(len(mirror))
    half = faces[(verts[faces, 0].mean(1) > 0)]
    collapse = _Collapse(verts, half, seam)
    on_half = np.unique(half)
    collapse.run((len(verts) - target) // 2)
    kept_half = np.array([v for v in on_half if v not in collapse.removed])
    kept = np.unique(np.concatenate([kept_half, mirror[kept_half]]))
    if len(kept) != target:
        raise ValueError(f"kept {len(kept)} vertices instead of {target}: the seam has the wrong parity")
    triangles = np.array(sorted(collapse.triangles.values()))
    both = np.concatenate([triangles, mirror[triangles][:, ::-1]])
    return kept, np.searchsorted(kept, both)


class _Collapse:
    """Greedy half-edge collapse of one half; `triangles` and `removed` hold the state."""

    def __init__(self, verts: np.ndarray, faces: np.ndarray, seam: np.ndarray):
        self.verts, self.seam = verts, seam
        self.triangles = {i: tuple(f) for i, f in enumerate(faces.tolist())}
        self.around: dict[int, set[int]] = {}
        for i, face in self.triangles.items():
            for v in face:
                self.around.setdefault(v, set()).add(i)
        self.removed: set[int] = set()
        self.stamp = dict.fromkeys(self.around, 0)
        self.quadric = self._quadrics(faces)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for v in self.around:
            self._push(v)

    def _quadrics(self, faces: np.ndarray) -> dict[int, np.ndarray]:
        a, b, c = (self.verts[faces[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=1, keepdims=True)
        plane = np.concatenate([normal / area, -(normal / area * a).sum(1, keepdims=True)], 1)
        one = area[:, :, None] * plane[:, :, None] * plane[:, None]
        return {v: one[list(ids)].sum(0) for v, ids in self.around.items()}

    def neighbours(self, v: int) -> set[int]:
        return {w for i in self.around[v] for w in self.triangles[i]} - {v}

    def _push(self, u: int) -> None:
        if self.seam[u]:
            return
        for v in self.neighbours(u):
            p = np.append(self.verts[v], 1.0)
            cost = p @ (self.quadric[u] + self.quadric[v]) @ p
            length = np.linalg.norm(self.verts[u] - self.verts[v])
            heapq.heappush(self.heap, (cost + 1e-9 * length, u, v, self.stamp[u], self.stamp[v]))

    def _allowed(self, u: int, v: int) -> bool:
        near_u, near_v = self.neighbours(u), self.neighbours(v)
        shared = self.around[u] & self.around[v]
        if len(shared) != 2 or len(near_u & near_v) != 2:
            return False
        if self.seam[v] and any(self.seam[w] and w not in near_v for w in near_u - {v}):
            return False
        return all(self._keeps_shape(i, u, v) for i in self.around[u] - shared)

    def _keeps_shape(self, i: int, u: int, v: int) -> bool:
        before = self.verts[list(self.triangles[i])]
        after = self.verts[[v if w == u else w for w in self.triangles[i]]]
        n0, n1 = (np.cross(t[1] - t[0], t[2] - t[0]) for t in (before, after))
        size = np.linalg.norm(n1)
        if n0 @ n1 < 0.5 * np.linalg.norm(n0) * size:
            return False
        edges = after - np.roll(after, 1, 0)
        quality = 2 * np.sqrt(3) * size / (edges**2).sum()
        edges0 = before - np.roll(before, 1, 0)
        quality0 = 2 * np.sqrt(3) * np.linalg.norm(n0) / (edges0**2).sum()
        return quality > min(SLIVER, quality0)

    def _merge(self, u: int, v: int) -> None:
        for i in list(self.around[u]):
            face = self.triangles[i]
            if v in face:
                del self.triangles[i]
                for w in face:
                    self.around[w].discard(i)
            else:
                self.triangles[i] = tuple(v if w == u else w for w in face)
                self.around[v].add(i)
        self.quadric[v] = self.quadric[v] + self.quadric[u]
        del self.around[u]
        self.removed.add(u)
        self.stamp[v] += 1
        for w in self.neighbours(v) | {v}:
            self._push(w)

    def run(self, count: int) -> None:
        """Remove `count` vertices, cheapest first."""
        while count:
            if not self.heap:
                raise ValueError(f"{count} vertices are left to remove but no collapse is allowed")
            _, u, v, stamp_u, stamp_v = heapq.heappop(self.heap)
            if u in self.removed or v in self.removed:
                continue
            if (stamp_u, stamp_v) != (self.stamp[u], self.stamp[v]) or not self._allowed(u, v):
                continue
            self._merge(u, v)
            count -= 1
