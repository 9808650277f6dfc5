"""The six human metrics of the challenge: joint errors, recalls and part angles, batched.

Official code: ``evaluate_human.py`` and ``metrics.py`` of RHOBIN 2023, which follow the 3DPW evaluator.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import quad
from torch import Tensor

from rhobin.geometry.align import rigid_align
from rhobin.geometry.rotation import geodesic_angle

PCK_JOINTS = (1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21)
"""Hips, knees, ankles, shoulders, elbows and wrists: the joints of PCK and AUC."""

ANGLE_JOINTS = (0, 1, 2, 4, 5, 16, 17, 18, 19)
"""Joints whose global rotations are compared."""

Joints = Float[Tensor, "N 24 3"] | Float[np.ndarray, "N 24 3"]
Rotations = Float[Tensor, "N 24 3 3"] | Float[np.ndarray, "N 24 3 3"]


@dataclass(frozen=True)
class HumanErrors:
    """Errors of single frames.

    Attributes:
        mpjpe_mm: (N,) mean distance of the 24 joints relative to joint 0, millimetres.
        mpjpe_pa_mm: (N,) the same after a similarity alignment of each frame, millimetres.
        distance_mm: (N, 24) distance of each joint relative to joint 0, millimetres.
        distance_pa_mm: (N, 24) the same after the alignment, millimetres.
        angle_deg: (N, 9) angles between the global rotations of `ANGLE_JOINTS`, degrees.
        angle_pa_deg: (N, 9) the same after turning predictions by the alignment's rotation, degrees.
        alignment: (N, 3, 3) that rotation, prediction to target.
    """

    mpjpe_mm: Float[np.ndarray, " N"]
    mpjpe_pa_mm: Float[np.ndarray, " N"]
    distance_mm: Float[np.ndarray, "N 24"]
    distance_pa_mm: Float[np.ndarray, "N 24"]
    angle_deg: Float[np.ndarray, "N 9"]
    angle_pa_deg: Float[np.ndarray, "N 9"]
    alignment: Float[np.ndarray, "N 3 3"]

    @property
    def joint_mm(self) -> Float[np.ndarray, "N 12"]:
        """Distances (N, 12) of `PCK_JOINTS` relative to joint 0, millimetres."""
        return self.distance_mm[:, list(PCK_JOINTS)]

    def __len__(self) -> int:
        return len(self.mpjpe_mm)

    def take(self, rows: np.ndarray) -> "HumanErrors":
        """The errors of some frames."""
        return HumanErrors(*(getattr(self, field.name)[rows] for field in fields(self)))


def human_errors(
    pred_joints: Joints, pred_rotations: Rotations, target_joints: Joints, target_rotations: Rotations
) -> HumanErrors:
    """Errors of a batch of people.

    Args:
        pred_joints: (N, 24, 3) predicted joints, metres; see `rhobin.body.joints.JOINTS24`.
        pred_rotations: (N, 24, 3, 3) predicted global rotations.
        target_joints: (N, 24, 3) true joints, metres, same camera frame.
        target_rotations: (N, 24, 3, 3) true global rotations.

    Returns:
        Errors of each frame. A prediction whose joints all lie in one point is aligned by the identity, as
        in the official code.
    """
    pred, pred_R, target, target_R = (
        _tensor(value) for value in (pred_joints, pred_rotations, target_joints, target_rotations)
    )
    pred, target = 1000 * (pred - pred[:, :1]), 1000 * (target - target[:, :1])
    R, t, scale = align_joints(pred, target)
    aligned = scale[:, None, None] * pred @ R.mT + t[:, None]
    distance, distance_pa = (pred - target).norm(dim=-1), (aligned - target).norm(dim=-1)
    parts = list(ANGLE_JOINTS)
    angles = geodesic_angle(pred_R[:, parts], target_R[:, parts])
    angles_pa = geodesic_angle(R[:, None] @ pred_R[:, parts], target_R[:, parts])
    return HumanErrors(
        distance.mean(-1).numpy(),
        distance_pa.mean(-1).numpy(),
        distance.numpy(),
        distance_pa.numpy(),
        torch.rad2deg(angles).numpy(),
        torch.rad2deg(angles_pa).numpy(),
        R.numpy(),
    )


def align_joints(
    pred: Float[Tensor, "N J 3"], target: Float[Tensor, "N J 3"]
) -> tuple[Float[Tensor, "N 3 3"], Float[Tensor, "N 3"], Float[Tensor, " N"]]:
    """The similarity of each frame that maps predicted joints onto true ones; never a reflection.

    Args:
        pred: (N, J, 3) predicted points.
        target: (N, J, 3) true points, same unit.

    Returns:
        Rotation, translation and scale; the identity rotation where all predicted points coincide.
    """
    R, t, scale = rigid_align(pred, target, scale=True)
    flat = (pred == pred[:, :1]).all(-1).all(-1)
    return torch.where(flat[:, None, None], torch.eye(3, dtype=R.dtype), R), t, scale


def recall_curve(
    joint_mm: Float[np.ndarray, "N J"],
    thresholds_mm: Float[np.ndarray, " T"],
    inclusive: bool = True,
    missing: int = 0,
) -> Float[np.ndarray, " T"]:
    """Fraction of joints within each distance.

    Args:
        joint_mm: (N, J) distances, millimetres.
        thresholds_mm: (T,) distances to count at.
        inclusive: whether an error of exactly the threshold counts (officially yes).
        missing: further frames that fail at every distance.

    Returns:
        (T,) fractions in [0, 1]; NaN without frames.
    """
    errors = np.sort(joint_mm, axis=None)
    count = np.searchsorted(errors, thresholds_mm, side="right" if inclusive else "left")
    total = errors.size + missing * joint_mm.shape[1]
    return count / total if total else np.full(len(thresholds_mm), np.nan)


def area_under(curve: Float[np.ndarray, " T"]) -> float:
    """Area under a curve of evenly spaced values on [0, 1], by the official adaptive quadrature.

    It stops at its 50 subdivisions, up to 5e-6 from the trapezoid rule that it approximates.

    Args:
        curve: (T,) values.

    Returns:
        The area.
    """
    at = np.linspace(0.0, 1.0, len(curve))
    return float(quad(lambda x: np.interp(x, at, curve), 0.0, 1.0, full_output=1)[0])


def _tensor(value: Tensor | np.ndarray) -> Tensor:
    return torch.as_tensor(value).detach().to("cpu", torch.float64)
