"""Triangle meshes of the plain shapes that rooms and furniture are built of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from rhobin.synthetic.paint.materials import Material


@dataclass(frozen=True)
class Surface:
    """A mesh of one material, in its own frame, and where it stands in the room.

    Attributes:
        verts: (V, 3) metres, own frame.
        faces: (F, 3) int32.
        material: what it is made of.
        R: (3, 3) rotation of the own-to-room transform.
        t: (3,) translation of it, metres.
        smooth: whether normals are interpolated from the vertices.
    """

    verts: np.ndarray
    faces: np.ndarray
    material: Material
    R: np.ndarray = field(default_factory=lambda: np.eye(3))
    t: np.ndarray = field(default_factory=lambda: np.zeros(3))
    smooth: bool = False

    @property
    def placed(self) -> np.ndarray:
        """(V, 3) vertices in the room frame."""
        return self.verts @ self.R.T + self.t


CUBE_FACES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ],
    np.int32,
)  # fmt: skip


def box(size: tuple[float, float, float], centre: tuple[float, float, float], material: Material) -> Surface:
    """An axis-aligned box of full extents `size`."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    return Surface(corners * size + centre, CUBE_FACES, material)


def standing_box(
    size: tuple[float, float, float], x: float, z: float, material: Material, y: float = 0.0
) -> Surface:
    """A box whose bottom face is centred on (x, y, z)."""
    return box(size, (x, y + size[1] / 2, z), material)


def rectangle(corner: ArrayLike, u: ArrayLike, v: ArrayLike, material: Material) -> Surface:
    """The rectangle spanned by the edges `u` and `v` at `corner`."""
    start, across, up = (np.asarray(a, float) for a in (corner, u, v))
    verts = np.stack([start, start + across, start + across + up, start + up])
    return Surface(verts, np.array([[0, 1, 2], [0, 2, 3]], np.int32), material)


def revolved(
    profile: list[tuple[float, float]], material: Material, x: float = 0.0, z: float = 0.0, sides: int = 20
) -> Surface:
    """A profile of (radius, height) points turned about the vertical axis through (x, z)."""
    radius, height = np.array(profile, float).T
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rings = np.stack(
        [
            x + radius[:, None] * np.cos(angle),
            np.repeat(height[:, None], sides, 1),
            z + radius[:, None] * np.sin(angle),
        ],
        axis=-1,
    )
    a = (np.arange(len(profile) - 1)[:, None] * sides + np.arange(sides)).ravel()
    b = (np.arange(len(profile) - 1)[:, None] * sides + (np.arange(sides) + 1) % sides).ravel()
    faces = np.concatenate([np.stack([a, a + sides, b], 1), np.stack([b, a + sides, b + sides], 1)])
    return Surface(rings.reshape(-1, 3), faces.astype(np.int32), material, smooth=True)


def rod(
    start: tuple[float, float, float], end: tuple[float, float, float], radius: float, material: Material
) -> Surface:
    """A thin open cylinder between two points."""
    a, b = np.array(start, float), np.array(end, float)
    axis = (b - a) / np.linalg.norm(b - a)
    side = np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.8 else [0, 0, 1.0])
    side /= np.linalg.norm(side)
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = radius * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * np.cross(axis, side))
    i, j = np.arange(8), (np.arange(8) + 1) % 8
    faces = np.concatenate([np.stack([i, i + 8, j], 1), np.stack([j, i + 8, j + 8], 1)])
    return Surface(np.concatenate([a + ring, b + ring]), faces.astype(np.int32), material, smooth=True)


def place(piece: list[Surface], x: float, z: float, yaw: float, y: float = 0.0) -> list[Surface]:
    """A piece of furniture turned by `yaw` about the vertical and moved to (x, y, z)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    R = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    t = np.array([x, y, z])
    return [Surface(s.verts, s.faces, s.material, R @ s.R, R @ s.t + t, s.smooth) for s in piece]
