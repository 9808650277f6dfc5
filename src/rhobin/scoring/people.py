"""Errors of people by joint and by part, and the curve that AUC is the area under."""

from __future__ import annotations

from typing import Any

import numpy as np

from rhobin.body.joints import JOINTS29_NAMES
from rhobin.metrics.human import ANGLE_JOINTS
from rhobin.metrics.human_track import HumanScore, recalls
from rhobin.metrics.scored import ScoredFrames

JOINT_NAMES = JOINTS29_NAMES[:24]
PART_NAMES = tuple(JOINT_NAMES[joint] for joint in ANGLE_JOINTS)
"""Joints whose global rotations are scored: each turns the part that hangs on it."""


def people_splits(score: ScoredFrames) -> dict[str, Any]:
    """What a score of the human track says of joints and parts; nothing for other tracks, or without errors.

    Args:
        score: of any track.

    Returns:
        ``by_joint``: MPJPE and MPJPE_PA in mm of each of the 24 joints; ``by_part``: MPJAE and MPJAE_PA in
        degrees of each part; ``recall_by_mm``: fraction of the joints of PCK within 0, 1, 2, ... mm.
    """
    if not isinstance(score, HumanScore) or score.errors is None:
        return {}
    errors = score.errors
    missing = len(score.missing) if score.protocol.missing_fails else 0
    joints = _means(MPJPE=errors.distance_mm, MPJPE_PA=errors.distance_pa_mm)
    parts = _means(MPJAE=errors.angle_deg, MPJAE_PA=errors.angle_pa_deg)
    return {
        "by_joint": dict(zip(JOINT_NAMES, joints, strict=True)),
        "by_part": dict(zip(PART_NAMES, parts, strict=True)),
        "recall_by_mm": np.round(recalls(errors, score.protocol, missing), 6).tolist(),
    }


def _means(**errors: np.ndarray) -> list[dict[str, float]]:
    """Means over frames of errors (N, P): a record for each of P parts."""
    columns = [values.mean(axis=0).tolist() for values in errors.values()]
    return [dict(zip(errors, row, strict=True)) for row in zip(*columns, strict=True)]
