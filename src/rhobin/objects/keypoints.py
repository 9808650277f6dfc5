"""Eight corner vertices of a template, by a rule that anyone can repeat."""

import numpy as np
from jaxtyping import Float, Int64

from rhobin.geometry.mesh import Verts

MIN_CONDITION = 0.1
_TIE = 1e-7

SIGNS = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], dtype=np.float64)


def choose_keypoints(verts: Verts) -> Int64[np.ndarray, "8"]:
    """Choose the vertices nearest the eight corners of a box around a centred template.

    For each sign pattern in the order (-,-,-), (+,-,-), (-,+,-), (+,+,-), then the same with +z, the
    vertex with the largest sum of s_k x_k / half_k that no earlier pattern took; ties go to the lowest
    index. The box has the template's own axes, or the principal axes when those give a better
    conditioned set and the own axes fall short of `MIN_CONDITION`.

    Args:
        verts: (V, 3) vertices centred on their mean.

    Returns:
        (8,) distinct vertex indices.

    Raises:
        ValueError: fewer than eight vertices, or vertices in one plane.
    """
    if len(verts) < 8:
        raise ValueError(f"expected a template of at least 8 vertices, found {len(verts)}")
    own = _corners(verts)
    if condition(verts[own]) >= MIN_CONDITION:
        return own
    principal = _corners(verts @ _principal_axes(verts))
    return max(own, principal, key=lambda ids: condition(verts[ids]))


def _corners(points: np.ndarray) -> np.ndarray:
    half = (points.max(axis=0) - points.min(axis=0)) / 2
    if half.min() <= 0:
        raise ValueError("expected a solid template, found all vertices in one plane")
    scores = np.round((points / half) @ SIGNS.T / _TIE)
    chosen: list[int] = []
    for column in scores.T:
        column[chosen] = -np.inf
        chosen.append(int(np.argmax(column)))
    return np.array(chosen, dtype=np.int64)


def _principal_axes(verts: np.ndarray) -> np.ndarray:
    """Right-handed principal axes in columns, longest first, towards the farthest vertex of each."""
    _, _, axes = np.linalg.svd(verts, full_matrices=False)
    along = verts @ axes.T
    farthest = np.argmax(np.round(np.abs(along) / _TIE), axis=0)
    axes = axes * np.sign(along[farthest, np.arange(3)])[:, None]
    axes[2] = np.cross(axes[0], axes[1])
    return axes.T


def condition(points: Float[np.ndarray, "8 3"]) -> float:
    """Third over first singular value of the centred points: 0 in a plane, 1 for a cube."""
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return float(values[2] / values[0])
