"""Rotations under which an object keeps its shape: cyclic, dihedral, continuous and spherical groups."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rhobin.geometry.mesh import Faces, Verts, sample_surface
from rhobin.objects.grids import icosahedron
from rhobin.objects.solid import Vector

CONTINUOUS_STEPS = 36

Rotations = Float[np.ndarray, "S 3 3"]


@dataclass(frozen=True)
class SymmetryGroup:
    """Rotational symmetry of a shape about one centre; colours may break it.

    Attributes:
        order: rotations about `axis` that keep the shape; 0 for every angle (a solid of revolution).
        axis: main axis.
        flip: an axis across the main one about which half turns keep the shape, or None.
        sphere: whether every rotation keeps the shape.
    """

    order: int = 1
    axis: Vector = (0.0, 1.0, 0.0)
    flip: Vector | None = None
    sphere: bool = False

    def rotations(self) -> Rotations:
        """The group as matrices (S, 3, 3), identity first.

        Continuous axes become steps of 10 degrees, the sphere the 60 rotations of the icosahedron.
        """
        if self.sphere:
            return icosahedral_rotations()
        steps = self.order or CONTINUOUS_STEPS
        angles = 2 * np.pi * np.arange(steps) / steps
        turns = Rotation.from_rotvec(angles[:, None] * np.asarray(self.axis)).as_matrix()
        if self.flip is not None:
            half_turn = Rotation.from_rotvec(np.pi * np.asarray(self.flip)).as_matrix()
            turns = np.concatenate([turns, turns @ half_turn])
        turns[0] = np.eye(3)
        return turns

    def turned(self, rotation: Float[np.ndarray, "3 3"]) -> "SymmetryGroup":
        """The group of the same shape after a rotation."""
        axis = rotation @ np.asarray(self.axis)
        flip = None if self.flip is None else tuple(rotation @ np.asarray(self.flip))
        return SymmetryGroup(self.order, (axis[0], axis[1], axis[2]), flip, self.sphere)


ASYMMETRIC = SymmetryGroup()
BALL = SymmetryGroup(sphere=True)
CUBOID = SymmetryGroup(order=2, flip=(1.0, 0.0, 0.0))


def icosahedral_rotations() -> Float[np.ndarray, "60 3 3"]:
    """The 60 rotations of a regular icosahedron, identity first, then in a fixed order."""
    corners, _ = icosahedron()
    neighbour = int(np.argmin(np.where(np.arange(12) > 0, -corners @ corners[0], np.inf)))
    source = _frame(corners[0], corners[neighbour])
    found = []
    for a in corners:
        for b in corners:
            if np.isclose(a @ b, corners[0] @ corners[neighbour]):
                found.append(_frame(a, b) @ source.T)
    rotations = np.array(found)
    angle_first = np.argsort(-np.trace(rotations, axis1=1, axis2=2).round(6), kind="stable")
    rotations = rotations[angle_first]
    rotations[0] = np.eye(3)
    return rotations


def _frame(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    across = b - (a @ b) * a
    across /= np.linalg.norm(across)
    return np.stack([a, across, np.cross(a, across)], axis=1)


def describe(group: SymmetryGroup) -> str:
    """A group in words."""
    if group.sphere:
        return "every rotation"
    if group.order == 1 and group.flip is None:
        return "none"
    turns = {0: "every turn", 2: "a half turn", 3: "third turns", 4: "quarter turns"}
    name = turns.get(group.order, f"turns by 1/{group.order} of a circle")
    main = [] if group.order == 1 else [f"{name} about {_short(group.axis)}"]
    flip = [] if group.flip is None else [f"half turns about {_short(group.flip)}"]
    return ", ".join(main + flip)


def _short(axis: Vector) -> str:
    return "(" + ", ".join(f"{round(value, 2) + 0.0:g}" for value in axis) + ")"


def offsets(rotations: Rotations, centre: Float[np.ndarray, "3"]) -> Float[np.ndarray, "S 3"]:
    """Translations (S, 3) that make rotations turn about `centre`: x -> R x + (c - R c)."""
    return centre - rotations @ centre


def shape_errors(
    verts: Verts,
    faces: Faces,
    rotations: Rotations,
    translations: Float[np.ndarray, "S 3"],
    samples: int = 20_000,
) -> Float[np.ndarray, " S"]:
    """How far motions take a shape from itself.

    Args:
        verts: (V, 3) vertices; about 600 of them are followed.
        faces: (F, 3) triangles.
        rotations: (S, 3, 3) of the motions.
        translations: (S, 3) of the motions.
        samples: points on the surface that stays.

    Returns:
        (S,) mean distance of the moved vertices to the surface, less that of the unmoved ones.
    """
    tree = cKDTree(sample_surface(verts, faces, samples, np.random.default_rng(0)))
    followed = verts[:: max(1, len(verts) // 600)]
    still = tree.query(followed)[0].mean()
    moved = np.einsum("sij,vj->svi", rotations, followed) + translations[:, None]
    return np.maximum(tree.query(moved)[0].mean(axis=1) - still, 0.0)
