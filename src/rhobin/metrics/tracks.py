"""The challenge's three tracks: everything that is particular to one of them, in one place."""

from collections.abc import Iterable, Mapping
from typing import Any

from rhobin.metrics.human_track import score_human
from rhobin.metrics.joint_track import CONTACT, PLACES, score_joint
from rhobin.metrics.object_track import score_object
from rhobin.metrics.paper import TABLE_2, TABLE_3, TABLE_4
from rhobin.metrics.protocol import HUMAN_MODES, JOINT_MODES, OBJECT_MODES
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.shells import HumanMetric, JointMetric, ObjectMetric
from rhobin.metrics.submission import Results
from rhobin.metrics.track import Column, GroundTruth, Track

__all__ = ["HUMAN", "JOINT", "OBJECT", "TRACKS", "Column", "GroundTruth", "Track", "known_tracks"]


def _score_joint(
    truth: GroundTruth, results: Results, protocol: Any, source: str, workers: int
) -> ScoredFrames:
    return score_joint(truth.annotations, truth.templates, results, truth.bodies, protocol, source, workers)


def _score_human(
    truth: GroundTruth, results: Results, protocol: Any, source: str, workers: int
) -> ScoredFrames:
    return score_human(truth.annotations, results, truth.bodies, protocol, source)


def _score_object(
    truth: GroundTruth, results: Results, protocol: Any, source: str, workers: int
) -> ScoredFrames:
    return score_object(truth.annotations, truth.templates, results, protocol, source, workers)


JOINT = Track(
    name="joint",
    title="Joint track",
    parts=("human", "object"),
    modes=JOINT_MODES,
    score=_score_joint,
    metric=JointMetric,
    columns=(
        Column("SMPL", "mm", frames="smpl_mm", log="smpl_mm", year_2024="SMPL"),
        Column("Object", "mm", frames="object_mm", log="object_mm", part="object", year_2024="obj"),
    ),
    leading=("SMPL", "Object"),
    ranked_by=("smpl_mm", "object_mm"),
    paper=TABLE_4,
    every_frame=False,
    floor=True,
    note="Surface errors of body and object after one similarity alignment of both, on frames whose object "
    "is visible enough; lower is better.",
    later=(*CONTACT, *PLACES),
)

HUMAN = Track(
    name="human",
    title="Human track",
    parts=("human",),
    modes=HUMAN_MODES,
    score=_score_human,
    metric=HumanMetric,
    columns=(
        Column("MPJPE", "mm", frames="mpjpe_mm", year_2024="MPJPE"),
        Column("MPJPE_PA", "mm", frames="mpjpe_pa_mm", year_2024="MPJPE_PA"),
        Column("PCK", "%", True, frames="pck_percent"),
        Column("AUC", "", True, decimals=3, frames="auc", year_2024="AUC"),
        Column("MPJAE", "deg", frames="mpjae_deg", year_2024="MPJAE"),
        Column("MPJAE_PA", "deg", frames="mpjae_pa_deg", year_2024="MPJAE_PA"),
    ),
    leading=("MPJPE", "MPJPE_PA"),
    ranked_by=("mpjpe_pa_mm",),
    paper=TABLE_3,
    every_frame=True,
    floor=False,
    note="Joint errors relative to the pelvis on every frame; PA aligns each frame first. Higher is better "
    "for PCK and AUC, lower for the others.",
    later=(Column("v2v", "mm", frames="v2v_mm", year_2024="v2v"),),
)

OBJECT = Track(
    name="object",
    title="Object track",
    parts=("object",),
    modes=OBJECT_MODES,
    score=_score_object,
    metric=ObjectMetric,
    columns=(
        Column("MSSD", "mm", factor=1e-3, frames="mssd_mm", part="object"),
        Column("MSPD", "px", frames="mspd_px", part="object"),
        Column("RE", "deg", frames="re_deg", part="object"),
        Column("MSSD_AR", "", True, decimals=3, part="object", year_2024="MSSD"),
        Column("MSPD_AR", "", True, decimals=3, part="object", year_2024="MSPD"),
        Column("RE_AR", "", True, decimals=3, part="object", year_2024="RE"),
        Column("AR_all", "", True, decimals=3, part="object", year_2024="AR_all"),
    ),
    leading=("MSSD", "RE"),
    ranked_by=("mssd_mm",),
    paper=TABLE_2,
    every_frame=False,
    floor=False,
    note="Errors under the object's symmetries, MSPD at 2048 x 1536, on frames whose object is visible "
    "enough; higher is better for recalls (AR), lower for errors. The paper prints MSSD in metres.",
)

TRACKS: Mapping[str, Track] = {track.name: track for track in (JOINT, HUMAN, OBJECT)}
"""Every track by name, the joint one first: the order of tables and of the report."""


def known_tracks(names: Iterable[str], where: str) -> tuple[Track, ...]:
    """Tracks by name, in the order of `TRACKS`.

    Args:
        names: their names.
        where: the config key or option that gives them, for the error.

    Raises:
        ValueError: a name is not of `TRACKS`.
    """
    names = set(names)
    unknown = sorted(names - TRACKS.keys())
    if unknown:
        raise ValueError(f"{where}: expected some of {', '.join(TRACKS)}, found {unknown[0]!r}")
    return tuple(track for track in TRACKS.values() if track.name in names)
