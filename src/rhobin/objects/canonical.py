"""One pose for all poses that look the same."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.objects.symmetry import Rotations, SymmetryGroup
from rhobin.objects.template import Template

Matrix = Float[np.ndarray, "3 3"]

FACING = np.diag([1.0, -1.0, -1.0])  # upright in a camera with y down, its front towards the camera
# exact ties, as of a box seen at 45 degrees, go the same way whichever equivalent pose was given
_ALMOST_IDENTITY = np.eye(3) + np.random.default_rng(0).normal(0, 1e-7, (3, 3))


def canonical_pose(
    template: Template, R: Matrix, t: Float[np.ndarray, "3"]
) -> tuple[Matrix, Float[np.ndarray, "3"]]:
    """Among the poses under which an object looks the same, the one nearest to facing the camera.

    A template point p and its equivalent S p + s fall on the same shape, so the pose (R, t) shows what
    (R S, R s + t) shows. S is chosen to bring R S nearest to `FACING` (least angle), among the template's
    listed symmetries, or in closed form where they are continuous. Any equivalent pose gives the same answer.

    Args:
        template: the object.
        R: (3, 3) rotation, template to camera.
        t: (3,) translation, metres.

    Returns:
        Rotation and translation of the equivalent pose.
    """
    turn, offset = nearest_symmetry(template, FACING.T @ R)
    return R @ turn, R @ offset + t


def nearest_symmetry(template: Template, M: Matrix) -> tuple[Matrix, Float[np.ndarray, "3"]]:
    """The symmetry x -> S x + s of a template that turns M S nearest to identity, as in `canonical_pose`."""
    group = template.group
    if group.sphere or not group.order:
        turn = nearest_member(group, M)
        return turn, template.centre - turn @ template.centre
    chosen = _nearest_of(template.symmetries, M)
    return template.symmetries[chosen], template.symmetry_offsets[chosen]


def nearest_member(group: SymmetryGroup, M: Matrix) -> Matrix:
    """The rotation S of a group with the largest trace of M S: the one that turns M nearest to identity."""
    if group.sphere:
        return M.T
    if group.order:
        members = group.rotations()
        return members[_nearest_of(members, M)]
    flips = [np.eye(3)]
    if group.flip is not None:
        flips.append(Rotation.from_rotvec(np.pi * np.asarray(group.flip)).as_matrix())
    turned = [_best_turn(np.asarray(group.axis), flip @ M) @ flip for flip in flips]
    return max(turned, key=lambda S: float(np.trace(M @ S)))


def _nearest_of(members: Rotations, M: Matrix) -> int:
    return int(np.argmax(np.einsum("ij,sji->s", _ALMOST_IDENTITY @ M, members)))


def _best_turn(axis: Float[np.ndarray, "3"], M: Matrix) -> Matrix:
    """The rotation T about a unit axis with the largest trace of M T."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    # T = a a' + cos (I - a a') + sin [a]x: the trace is constant + cos (tr M - a' M a) + sin tr(M [a]x)
    angle = np.arctan2(np.trace(M @ cross), np.trace(M) - axis @ M @ axis)
    return Rotation.from_rotvec(angle * axis).as_matrix()
