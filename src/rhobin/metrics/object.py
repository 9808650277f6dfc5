"""The object metrics of the challenge: MSSD, MSPD and rotation error under symmetries, batched.

Official code: ``evaluate_object.py`` and ``pose_error.py`` of RHOBIN 2023 (after the BOP toolkit). A frame's
error is the least over the symmetries of the largest over the points. The distance of two affine images of a
point is convex in the point, so MSSD is attained on the convex hull. Symmetries whose error at a few points
already exceeds another's over all points are left out: the numbers are those of the full search.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float
from torch import Tensor

from rhobin.metrics.points import PointSet

CHUNK = 16
"""Frames at a time: bounds the memory, about 1 MB a frame at 10,000 points."""

Matrices = Float[Tensor, "N 3 3"] | Float[np.ndarray, "N 3 3"]
Vectors = Float[Tensor, "N 3"] | Float[np.ndarray, "N 3"]
Scales = Float[Tensor, " N"] | Float[np.ndarray, " N"]


@dataclass(frozen=True)
class ObjectErrors:
    """Errors of single frames.

    Attributes:
        mssd_mm: (N,) maximum symmetry-aware surface distance, millimetres.
        mspd_px: (N,) maximum symmetry-aware projection distance, pixels.
        re_deg: (N,) rotation error, degrees.
        diameter_mm: (N,) diameter of the object, millimetres.
    """

    mssd_mm: Float[np.ndarray, " N"]
    mspd_px: Float[np.ndarray, " N"]
    re_deg: Float[np.ndarray, " N"]
    diameter_mm: Float[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.mssd_mm)

    def take(self, rows: np.ndarray) -> "ObjectErrors":
        """The errors of some frames."""
        return ObjectErrors(*(getattr(self, field.name)[rows] for field in fields(self)))


def object_errors(
    pred_R: Matrices,
    pred_t: Vectors,
    target_R: Matrices,
    target_t: Vectors,
    points: PointSet,
    symmetries: tuple[Float[np.ndarray, "S 3 3"], Float[np.ndarray, "S 3"]],
    K: Float[np.ndarray, "3 3"],
    scale: Scales | None = None,
) -> ObjectErrors:
    """Errors of a batch of poses of one object.

    Args:
        pred_R: (N, 3, 3) predicted rotations, template to camera; used as given, orthonormal or not.
        pred_t: (N, 3) predicted translations, metres.
        target_R: (N, 3, 3) true rotations.
        target_t: (N, 3) true translations, metres.
        points: where distances are taken.
        symmetries: rotations (S, 3, 3) and translations (S, 3) of the template onto itself.
        K: (3, 3) intrinsics, pixels.
        scale: (N,) multiplies predicted points after the translation; RE ignores it.

    Returns:
        Errors of each frame; NaN where a pose is not finite.
    """
    pred, at, target, to = (_array(value) for value in (pred_R, pred_t, target_R, target_t))
    size = np.ones(len(pred)) if scale is None else _array(scale)
    sym_R, sym_t = symmetries
    errors = np.empty((3, len(pred)))
    for start in range(0, len(pred), CHUNK):
        rows = slice(start, start + CHUNK)
        turned = target[rows, None] @ sym_R
        moved = np.einsum("nij,sj->nsi", target[rows], sym_t) + to[rows, None]
        scaled, shifted = size[rows, None, None] * pred[rows], size[rows, None] * at[rows]
        errors[0, rows] = 1000.0 * _surface_distance(scaled, shifted, turned, moved, points)
        errors[1, rows] = _projection_distance(scaled, shifted, turned, moved, points, K)
        errors[2, rows] = rotation_errors(pred[rows], turned)
    return ObjectErrors(errors[0], errors[1], errors[2], np.full(len(pred), 1000.0 * points.diameter))


def rotation_errors(
    pred: Float[np.ndarray, "N 3 3"], targets: Float[np.ndarray, "N S 3 3"]
) -> Float[np.ndarray, " N"]:
    """Smallest angle to any of the equivalent true rotations.

    Args:
        pred: (N, 3, 3) predicted rotations.
        targets: (N, S, 3, 3) true rotations, one for each symmetry.

    Returns:
        (N,) degrees.
    """
    cosine = 0.5 * (np.einsum("nij,nsij->ns", pred, targets) - 1.0)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).min(axis=1)


def average_recall(
    errors: Float[np.ndarray, " N"],
    thresholds: Float[np.ndarray, "T N"] | Float[np.ndarray, "T 1"],
    missing: int = 0,
) -> float:
    """Mean over thresholds of the fraction of errors strictly below them.

    Args:
        errors: (N,) errors; NaN is never below.
        thresholds: (T, N), or (T, 1) for all frames alike.
        missing: further frames that fail at every threshold.

    Returns:
        Average recall in [0, 1]; NaN without frames.
    """
    total = len(errors) + missing
    return float(np.mean((errors < thresholds).sum(axis=1) / total)) if total else float("nan")


def _surface_distance(
    R: np.ndarray, t: np.ndarray, turned: np.ndarray, moved: np.ndarray, points: PointSet
) -> np.ndarray:
    A, b = R[:, None] - turned, t[:, None] - moved
    lower = _largest_norm(A, b, points.corners)
    return _least(lower, lambda rows, sym: _largest_norm(A[rows, sym], b[rows, sym], points.hull))


def _largest_norm(A: np.ndarray, b: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Largest ``|A x + b|`` over points: found on the squared form, then taken exactly."""
    x, y, z = points.T
    monomials = np.stack([x * x, y * y, z * z, x * y, x * z, y * z, x, y, z])
    G, c = A.swapaxes(-1, -2) @ A, np.einsum("...i,...ij->...j", b, A)
    i, j = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
    coefficients = np.concatenate([G[..., i, j] * [1, 1, 1, 2, 2, 2], 2 * c], axis=-1)
    best = points[(coefficients @ monomials).argmax(axis=-1)]
    return np.linalg.norm(np.einsum("...ij,...j->...i", A, best) + b, axis=-1)


def _projection_distance(
    R: np.ndarray, t: np.ndarray, turned: np.ndarray, moved: np.ndarray, points: PointSet, K: np.ndarray
) -> np.ndarray:
    few = points.corners.T
    lower = _largest_distance(_pixels(R, t, few, K)[:, None], _pixels(turned, moved, few, K))
    pred = _pixels(R, t, points.points.T, K)

    def full(rows: np.ndarray, symmetry: np.ndarray) -> np.ndarray:
        target = _pixels(turned[rows, symmetry], moved[rows, symmetry], points.points.T, K)
        return _largest_distance(pred[rows], target)

    return _least(lower, full)


def _pixels(R: np.ndarray, t: np.ndarray, points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Pixels (..., 2, P) of points (3, P) after a rigid motion; no guard against points behind the camera."""
    with np.errstate(divide="ignore", invalid="ignore"):
        image = (K @ R) @ points + (t @ K.T)[..., None]
        return image[..., :2, :] / image[..., 2:, :]


def _largest_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.sqrt(((a - b) ** 2).sum(axis=-2).max(axis=-1))


def _least(
    lower: np.ndarray, evaluate: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Float[np.ndarray, " N"]:
    """Least value of each row: most promising bounds first, until no bound is below the best value."""
    bounds = lower.copy()
    best = np.where(np.isnan(lower).any(axis=1), np.nan, np.inf)
    while True:
        candidate = np.argmin(bounds, axis=1)
        rows = np.flatnonzero(bounds[np.arange(len(bounds)), candidate] < best)
        if len(rows) == 0:
            return best
        best[rows] = np.minimum(best[rows], evaluate(rows, candidate[rows]))
        bounds[rows, candidate[rows]] = np.inf


def _array(value: Tensor | np.ndarray) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)
