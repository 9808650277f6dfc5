"""What lies inside a closed surface, and how far from it."""

import numpy as np
from jaxtyping import Bool, Float, Integer
from scipy.spatial import cKDTree
from trimesh.triangles import closest_point

from rhobin.geometry.mesh import face_cross
from rhobin.geometry.raycast import Scene

Points = Float[np.ndarray, "N 3"]
Verts = Float[np.ndarray, "V 3"]
Faces = Integer[np.ndarray, "F 3"]

DIRECTIONS = np.array([[0.61, 0.53, 0.59], [-0.72, 0.44, 0.54], [0.14, -0.87, 0.47]])
"""Rays of each point, of which most decide: one may slip through a hole of the surface."""

CANDIDATES = 24
"""Triangles with the nearest centres, of which one is the nearest of all."""


def inside(points: Points, verts: Verts, faces: Faces) -> Bool[np.ndarray, " N"]:
    """Tell which points a closed surface holds: most of their rays leave by the first triangle they meet.

    Args:
        points: (N, 3) points, in the unit and frame of the surface.
        verts: (V, 3) vertices.
        faces: (F, 3) triangles, their corners counterclockwise as seen from outside.
    """
    held = np.zeros(len(points), dtype=bool)
    near = np.flatnonzero(((points >= verts.min(axis=0)) & (points <= verts.max(axis=0))).all(axis=1))
    if not len(near):
        return held
    scene, normals, leaving = (
        Scene([(verts, faces)], robust=True),
        face_cross(verts, faces),
        np.zeros(len(near)),
    )
    for direction in DIRECTIONS:
        met = scene.cast(points[near], np.tile(direction, (len(near), 1)))
        leaving += (met.prim_id >= 0) & (normals[met.prim_id] @ direction > 0)
    held[near] = leaving > len(DIRECTIONS) / 2
    return held


def surface_distances(points: Points, verts: Verts, faces: Faces) -> Float[np.ndarray, " N"]:
    """Distance of points (N, 3) to the nearest point of a surface, (N,), in its unit; arguments of `inside`.

    Only the triangles with the nearest centres are looked at: exact where triangles are of similar size.
    """
    corners = verts[faces]
    count = min(CANDIDATES, len(faces))
    _, chosen = cKDTree(corners.mean(axis=1)).query(points, count)
    chosen = chosen.reshape(len(points), count)
    repeated = np.repeat(points, count, axis=0)
    found = closest_point(corners[chosen.ravel()], repeated)
    return np.linalg.norm(found - repeated, axis=1).reshape(len(points), count).min(axis=1)
