"""Pose correctives as glTF can hold them: offsets of the rest shape, and morph targets for what changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rhobin.body.model import BodyModel

MOST_MM = 0.5
AT_A_TIME = 64  # frames whose vertices are in memory together


@dataclass(frozen=True, eq=False)
class Correctives:
    """Pose correctives of N poses: ``base + sum_k weights[n, k] targets[k]``, metres at rest.

    Attributes:
        base: (V, 3) offsets of the rest vertices; the mean of the poses where there are no targets.
        targets: (K, V, 3) offsets of the morph targets; none where the mean says enough.
        weights: (N, K) in [0, 1], which is as far as Blender lets them go.
        left_out_mm: largest distance of a vertex to where all correctives would put it, at these poses.
    """

    base: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    left_out_mm: float


def pose_correctives(body: BodyModel, theta: np.ndarray, most_mm: float = MOST_MM) -> Correctives:
    """Split the correctives of several poses into a mean and the fewest principal directions that do.

    Blending rotations makes no offset longer, so what is left out at rest bounds what is left out when posed.

    Args:
        body: the body model.
        theta: (N, J, 3, 3) local rotations.
        most_mm: largest distance of a vertex that may be left out.
    """
    features = (np.asarray(theta, np.float64)[:, 1:] - np.eye(3)).reshape(len(theta), -1)
    mean = features.mean(axis=0)
    changes = features - mean
    weights = _principal_weights(body, changes)
    count, left_out_mm = _fewest(body, weights, changes, most_mm)
    weights = weights[:, :count]
    least, span = weights.min(axis=0), np.ptp(weights, axis=0)
    parts = weights.T @ changes
    base = _offsets(body, (mean + least @ parts)[None])[0]
    targets = _offsets(body, span[:, None] * parts)
    return Correctives(base, targets, (weights - least) / span, left_out_mm)


def _offsets(body: BodyModel, features: np.ndarray) -> np.ndarray:
    """Offsets (n, V, 3) of the rest vertices by rows of the features that the pose correctives multiply."""
    columns = body.pose_blend(torch.from_numpy(np.ascontiguousarray(features.T)).to(body.template))
    return columns.cpu().double().numpy().T.reshape(len(features), body.n_verts, 3)


def _principal_weights(body: BodyModel, changes: np.ndarray) -> np.ndarray:
    """Orthonormal columns (N, K) of weights over time, those that move the vertices most first."""
    Q, R = np.linalg.qr(changes)
    moved = _offsets(body, R).reshape(len(R), -1)
    _, turns = np.linalg.eigh(moved @ moved.T)
    return Q @ turns[:, ::-1]


def _fewest(body: BodyModel, weights: np.ndarray, changes: np.ndarray, most_mm: float) -> tuple[int, float]:
    """The least number of columns that leaves at most so much out, by bisection, and what it leaves."""
    low, high, left_out_mm = 0, weights.shape[1], 0.0
    while low < high:
        middle = (low + high) // 2
        kept = weights[:, :middle]
        found_mm = _largest_mm(body, changes - kept @ (kept.T @ changes))
        if found_mm > most_mm:
            low = middle + 1
        else:
            high, left_out_mm = middle, found_mm
    return high, left_out_mm


def _largest_mm(body: BodyModel, features: np.ndarray) -> float:
    parts = (_offsets(body, features[i : i + AT_A_TIME]) for i in range(0, len(features), AT_A_TIME))
    return max(1000 * float(np.linalg.norm(part, axis=-1).max()) for part in parts)
