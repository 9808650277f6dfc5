"""A pose under construction: local rotations of one figure, and the joints they put where."""

from __future__ import annotations

import numpy as np

from rhobin.synthetic.people.figure import Figure

PELVIS, NECK, HEAD = 0, 12, 15
SPINE = (3, 6, 9)
HIP, KNEE, ANKLE, BALL = (1, 2), (4, 5), (7, 8), (10, 11)
COLLAR, SHOULDER, ELBOW, WRIST = (13, 14), (16, 17), (18, 19), (20, 21)
FINGERS = ((22, 25, 28, 31, 34), (37, 40, 43, 46, 49))  # first joints: index, middle, pinky, ring, thumb
SIGN = (1.0, -1.0)  # x of the left and of the right side
THUMB = 4
_EYE = np.eye(3)


def unit(v: np.ndarray) -> np.ndarray:
    """The vector scaled to length one."""
    return v / np.sqrt(v @ v)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two vectors (3,), ten times faster than numpy's general one."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def rotation(axis: np.ndarray, angle: float | np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) about a unit `axis` (3,) by `angle` radians (...)."""
    x, y, z = axis.tolist()
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    a = np.asarray(angle)[..., None, None]
    return _EYE + np.sin(a) * K + (1 - np.cos(a)) * (K @ K)


def rot_x(angle: float) -> np.ndarray:
    """Rotation about x by `angle` radians."""
    return rotation(np.array([1.0, 0, 0]), angle)


def rot_y(angle: float) -> np.ndarray:
    """Rotation about y (up) by `angle` radians."""
    return rotation(np.array([0.0, 1, 0]), angle)


def rot_z(angle: float) -> np.ndarray:
    """Rotation about z by `angle` radians."""
    return rotation(np.array([0.0, 0, 1]), angle)


def frame(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation whose columns are `a`, `b` made orthogonal to it, and their cross product."""
    a = unit(a)
    b = unit(b - a * (a @ b))
    return np.stack([a, b, cross(a, b)], axis=1)


class Pose:
    """Local rotations `theta` (52, 3, 3) and pelvis position of a figure.

    `update` refreshes `G` (52, 3, 3) global rotations and `joints` (52, 3) after changes.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.theta = np.tile(np.eye(3), (52, 1, 1))
        self.pelvis = figure.joints[0].copy()
        self.update()

    def update(self) -> None:
        """Run forward kinematics."""
        self.G, self.joints = self.figure.kinematics(self.theta, self.pelvis)

    def move(self, shift: np.ndarray) -> None:
        """Translate the whole body."""
        self.pelvis = self.pelvis + shift
        self.joints = self.joints + shift

    def set_global(self, joint: int, R: np.ndarray) -> None:
        """Give a joint a global rotation, its parents being up to date."""
        self.theta[joint] = self.G[self.figure.parents[joint]].T @ R
        self.G[joint] = R

    def skin(self, patch: str) -> np.ndarray:
        """Vertices (n, 3) of a named patch of the figure."""
        return self.figure.patch(patch).skin(self.theta, self.G, self.joints)
