"""Landmarks of the extremities and the relaxed hand."""

from __future__ import annotations

import numpy as np

from .skeleton import NAMES

CURL = np.radians(20.0)  # flexion of every finger joint in the mean hand
THUMB_CURL = np.radians(10.0)
LEAVES = ("head_top", "left_middle", "right_middle", "left_bigtoe", "right_bigtoe")


def leaf_vertices(template: np.ndarray, joints: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """(5,) vertex ids of `LEAVES` on the T-posed template."""
    seam = np.flatnonzero(mirror == np.arange(len(mirror)))
    top = seam[template[seam, 1].argmax()]
    finger = template[:, 0] + 0.2 * template[:, 1] - 0.2 * abs(template[:, 2] - joints[27, 2])
    tip = finger.argmax()
    foot = np.flatnonzero((template[:, 0] > 0) & (template[:, 1] < joints[10, 1] + 0.05))
    inner = template[foot, 2] - 0.3 * template[foot, 0]
    toe = foot[inner.argmax()]
    return np.array([top, tip, mirror[tip], toe, mirror[toe]])


def mean_hand(joints: np.ndarray, side: str) -> np.ndarray:
    """(45,) axis-angle pose of a relaxed hand: each finger curls about its own flexion axis.

    Args:
        joints: (52, 3) T-posed joints, palms down.
        side: "left" or "right".
    """
    first = NAMES.index(f"{side}_index1")
    palm = joints[NAMES.index(f"{side}_middle1")] - [0.0, 0.04, 0.0]
    pose = np.zeros((15, 3))
    for finger in range(5):
        base, end = joints[first + 3 * finger], joints[first + 3 * finger + 2]
        along = (end - base) / np.linalg.norm(end - base)
        thumb = finger == 4
        towards = palm - base if thumb else np.array([0.0, -1.0, 0.0])
        axis = np.cross(along, towards)
        axis *= (THUMB_CURL if thumb else CURL) / np.linalg.norm(axis)
        pose[3 * finger : 3 * finger + 3] = axis
    return pose.reshape(45)
