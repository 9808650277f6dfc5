"""What a method says of its own errors, judged after scoring and calibrated for later predictions."""

from __future__ import annotations

from pathlib import Path

from rhobin.scoring.calibration import with_probability
from rhobin.scoring.collect import Further
from rhobin.scoring.confidence import judged_scores, keep_calibration
from rhobin.scoring.document import Scores
from rhobin.scoring.joint_errors import judged_joints, keep_lines
from rhobin.scoring.joint_lines import with_joint_errors
from rhobin.scoring.store import Provenance, replace_further


def calibrated(further: Further, folder: Path, provenance: Provenance) -> Further:
    """Predictions with a probability and errors to expect, where the run was calibrated on other data."""
    hashes = provenance.checkpoint_hash, provenance.data_hash
    return with_joint_errors(with_probability(further, folder, *hashes), folder, *hashes)


def judge(folder: Path, scores: Scores, provenance: Provenance, further: Further) -> Scores:
    """Scores with what a method's confidence and its uncertainty of joints are worth.

    Args:
        folder: the run folder; both calibrations are written there, and the errors to expect of joints are
            added to its ``predictions.npz``.
        scores: scored rows by track and row.
        provenance: of the method's row.
        further: what it says of each view, as stored.

    Raises:
        ValueError: a confidence or uncertainty is malformed.
    """
    scores = judged_scores(scores, provenance.method, further)
    scores, told = judged_joints(scores, provenance.method, further)
    keep_calibration(folder, scores, provenance)
    keep_lines(folder, scores, provenance)
    if told is not further:
        replace_further(folder, told)
    return scores
