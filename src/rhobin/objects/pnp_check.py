"""A predicted pose against the one that RANSAC-PnP finds from predicted coordinates of the same view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from rhobin.geometry.pnp import ransac_pnp
from rhobin.objects.canonical import nearest_symmetry
from rhobin.objects.nocs import from_nocs
from rhobin.objects.template import Template

TURN_DEG, SHIFT_SHARE = 15.0, 0.15  # assumed (decision 0119): disagreements that halve the confidence

Pose = tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]


@dataclass(frozen=True)
class PnPCheck:
    """What RANSAC-PnP says of B views; NaN where it finds no pose, with no inliers.

    Attributes:
        R: (B, 3, 3) rotation, template to camera.
        t: (B, 3) translation, metres.
        inliers: (B,) share of the mask's pixels that agree with it, in [0, 1].
        turn_deg: (B,) angle to the direct pose, degrees, the least over the object's symmetries.
        shift_mm: (B,) distance of the origins under that symmetry, millimetres.
        confidence: (B,) `raw_confidence` of the direct pose.
    """

    R: Float[np.ndarray, "B 3 3"]
    t: Float[np.ndarray, "B 3"]
    inliers: Float[np.ndarray, " B"]
    turn_deg: Float[np.ndarray, " B"]
    shift_mm: Float[np.ndarray, " B"]
    confidence: Float[np.ndarray, " B"]


def pnp_check(
    nocs: Float[np.ndarray, "B 3 h w"],
    mask: Bool[np.ndarray, "B h w"],
    box: Float[np.ndarray, "B 2 3"],
    K: Float[np.ndarray, "B 3 3"],
    R: Float[np.ndarray, "B 3 3"],
    t: Float[np.ndarray, "B 3"],
    templates: Sequence[Template],
    threshold_px: float = 2.0,
    iterations: int = 100,
) -> PnPCheck:
    """Solve the poses of predicted coordinates, and compare them with poses predicted directly.

    Args:
        nocs: (B, 3, h, w) coordinates in the template's box, in [0, 1] as in `ObjectMaps`.
        mask: (B, h, w) pixels to believe.
        box: (B, 2, 3) centre and extent of the box, metres.
        K: (B, 3, 3) intrinsics of the maps in their own pixels.
        R: (B, 3, 3) predicted rotations, template to camera.
        t: (B, 3) predicted translations, metres.
        templates: the object of each view.
        threshold_px: map pixels within which a pixel agrees.
        iterations: RANSAC samples at most.

    Returns:
        The other poses and how far they are from the given ones.
    """
    count = len(nocs)
    check = PnPCheck(
        R=np.full((count, 3, 3), np.nan),
        t=np.full((count, 3), np.nan),
        inliers=np.zeros(count),
        turn_deg=np.full(count, np.nan),
        shift_mm=np.full(count, np.nan),
        confidence=np.zeros(count),
    )
    for i, template in enumerate(templates):
        points = from_nocs(nocs[i][:, mask[i]].T.astype(np.float64), box[i])
        pixels = np.argwhere(mask[i])[:, ::-1].astype(np.float64)
        found = ransac_pnp(points, pixels, K[i], threshold_px, iterations)
        if found is not None:
            check.R[i], check.t[i], check.inliers[i] = found.R, found.t, found.inliers
            apart = pose_difference(template, (found.R, found.t), (R[i], t[i]))
            check.turn_deg[i], check.shift_mm[i] = apart
            check.confidence[i] = raw_confidence(found.inliers, *apart, template.diameter)
    return check


def raw_confidence(inliers: float, turn_deg: float, shift_mm: float, diameter: float) -> float:
    """Inlier share times agreement, 1 / (1 + turn / 15 degrees + shift / 15 % of the diameter), in [0, 1].

    Not a probability: that is fitted on what came true (`rhobin.scoring.calibration`).

    Args:
        inliers: share of pixels that agree with the pose of RANSAC-PnP.
        turn_deg: angle between that pose and the direct one, degrees.
        shift_mm: distance of their origins, millimetres.
        diameter: of the object, metres.
    """
    return inliers / (1 + turn_deg / TURN_DEG + shift_mm / (1000 * SHIFT_SHARE * diameter))


def pose_difference(template: Template, first: Pose, second: Pose) -> tuple[float, float]:
    """How far two poses of one object are apart, whatever its symmetries make of it.

    Args:
        template: the object; of its symmetries the one that brings the rotations nearest counts, in closed
            form where they are continuous.
        first: rotation (3, 3) and translation (3,) in metres, template to camera.
        second: the same of the other pose.

    Returns:
        The angle between the rotations in degrees, and the distance of the origins in millimetres.
    """
    (R, t), (other_R, other_t) = first, second
    turn, offset = nearest_symmetry(template, other_R.T.astype(np.float64) @ R)
    angle = Rotation.from_matrix(other_R.T @ R @ turn).magnitude()
    return float(np.degrees(angle)), float(1000 * np.linalg.norm(R @ offset + t - other_t))
