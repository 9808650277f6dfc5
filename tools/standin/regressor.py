"""Joint positions as weighted sums of T-posed vertices."""

from __future__ import annotations

import numpy as np

from .shape import ShapeSpace
from .skeleton import NAMES, PARENTS, mirror_order

SLAB = 0.09  # half height of the slab of torso vertices around a torso joint, metres
NEAREST = 100  # vertices around any other joint
RIDGE = 2e-4
SUM_WEIGHT = 10.0  # pull of a row's weights towards summing to one
TORSO = ("pelvis", "hip", "spine", "neck", "collar")


def fit_regressor(
    space: ShapeSpace, joints: np.ndarray, weights: np.ndarray, mirror: np.ndarray, betas: np.ndarray
) -> np.ndarray:
    """Ridge regression of the joints from nearby vertices over the whole shape space.

    Args:
        space: the shape model.
        joints: (N, 52, 3) T-posed joints of the people it was made from.
        weights: (V, 52) skinning weights.
        mirror: (V,) vertex counterparts.
        betas: (N, 10) coefficients of those people.

    Returns:
        (52, V) regressor with left/right symmetric rows that sum to one.
    """
    design = np.column_stack([np.ones(len(betas)), betas])
    fitted = np.linalg.lstsq(design, joints.reshape(len(joints), -1), rcond=None)[0].reshape(11, -1, 3)
    other = mirror_order(NAMES)
    rows = np.zeros((len(NAMES), len(space.template)))
    for joint in range(len(NAMES)):
        near = _candidates(joint, space.template, fitted[0, joint], weights, mirror)
        rows[joint, near] = _ridge_row(space, near, fitted[:, joint])
    right = other < np.arange(len(NAMES))
    rows[right] = rows[other[right]][:, mirror]
    middle = other == np.arange(len(NAMES))
    rows[middle] = 0.5 * (rows[middle] + rows[middle][:, mirror])
    return rows / rows.sum(1, keepdims=True)


def _candidates(
    joint: int, template: np.ndarray, centre: np.ndarray, weights: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """Vertices that ride on the joint, its parent or its children: a slab in the torso, else the nearest."""
    nearby = [k for k in range(len(NAMES)) if joint in (k, PARENTS[k]) or k == PARENTS[joint]]
    own = np.flatnonzero(np.isin(weights.argmax(1), nearby))
    if any(part in NAMES[joint] for part in TORSO):
        return own[abs(template[own, 1] - centre[1]) < SLAB]
    near = own[np.argsort(((template[own] - centre) ** 2).sum(1))[:NEAREST]]
    middle = mirror_order(NAMES)[joint] == joint
    return np.unique(np.concatenate([near, mirror[near]])) if middle else near


def _ridge_row(space: ShapeSpace, near: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights of the vertices `near` that reproduce target (11, 3): the mean joint and its ten slopes."""
    values = np.concatenate([space.template[None, near] - target[0], space.directions[:, near]])
    matrix = np.concatenate([values.transpose(0, 2, 1).reshape(33, -1), np.full((1, len(near)), SUM_WEIGHT)])
    goal = np.concatenate([np.zeros(3), target[1:].reshape(-1), [SUM_WEIGHT]])
    gram = matrix @ matrix.T + RIDGE * np.eye(len(goal))
    return matrix.T @ np.linalg.solve(gram, goal)
