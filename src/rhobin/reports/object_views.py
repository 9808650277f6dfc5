"""Cameras around an object, what they see of its mesh, and that painted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.geometry.camera import resize_intrinsics
from rhobin.geometry.mesh import face_normals
from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.objects.template import Template
from rhobin.reports.contact_sheet import PAPER

SIZE = 300
SUPERSAMPLE = 2
FAR = 4.0  # distance of the camera, in diameters
LIGHT = np.array([-0.5, -0.75, -0.43])


@dataclass(frozen=True)
class View:
    """A camera that looks at the middle of an object; lengths in metres."""

    R: np.ndarray
    t: np.ndarray
    K: np.ndarray

    @classmethod
    def of(cls, template: Template, towards: tuple[float, ...], up: tuple[float, ...]) -> View:
        """The camera that stands in the direction `towards` (3,) of a template, with `up` (3,) upwards."""
        back = np.asarray(towards, dtype=np.float64) / np.linalg.norm(towards)
        right = np.cross(up, back)
        right /= np.linalg.norm(right)
        R = np.stack([right, np.cross(right, back), -back])
        middle = (template.verts.min(axis=0) + template.verts.max(axis=0)) / 2
        t = np.array([0, 0, FAR * template.diameter]) - R @ middle
        focal, centre = 0.8 * FAR * SIZE, (SIZE - 1) / 2
        return cls(R, t, np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1]]))

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Where points (N, 3) of the template are seen, (N, 2)."""
        seen = (points @ self.R.T + self.t) @ self.K.T
        return seen[:, :2] / seen[:, 2:]


@dataclass(frozen=True)
class Seen:
    """What a camera sees of a mesh, row by row.

    Attributes:
        on: (H, W) whether a pixel shows the mesh, twice as fine as the picture.
        depth: (H, W) metres; infinite where it does not.
        face: (N,) triangle at each pixel that does.
        points: (N, 3) place on the mesh, in the frame of its vertices.
        shade: (N,) factor of its colour.
    """

    on: np.ndarray
    depth: np.ndarray
    face: np.ndarray
    points: np.ndarray
    shade: np.ndarray


def see(view: View, verts: np.ndarray, faces: np.ndarray) -> Seen:
    """Look at a mesh: vertices (V, 3) in the template's frame, triangles (F, 3)."""
    size = SUPERSAMPLE * SIZE
    K = resize_intrinsics(view.K, float(SUPERSAMPLE), float(SUPERSAMPLE))
    placed = verts @ view.R.T + view.t
    hits = Scene([(placed, faces)], robust=True).cast(np.zeros(3), camera_rays(K, size, size).reshape(-1, 3))
    on = hits.geom_id >= 0
    face = hits.prim_id[on]
    points = np.einsum("nk,nkc->nc", hits.barycentric[on], verts[faces[face]])
    normal = face_normals(placed, faces)[face]
    shade = 0.45 + 0.25 * np.abs(normal[:, 2]) + 0.3 * np.clip(normal @ LIGHT, 0, 1)
    return Seen(on.reshape(size, size), hits.distance.reshape(size, size), face, points, shade)


def paint(seen: Seen, colors: np.ndarray) -> np.ndarray:
    """A picture of what is seen in colours (N, 3), shaded."""
    picture = np.full((*seen.on.shape, 3), PAPER, np.float64)
    picture[seen.on] = np.clip(seen.shade[:, None] * colors, 0, 255)
    return shrunk(picture)


def shrunk(picture: np.ndarray) -> np.ndarray:
    """A supersampled picture at its own size, RGB uint8."""
    return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8)
