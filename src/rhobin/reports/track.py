"""Score a track of the challenge and write everything about the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import rhobin
from rhobin.metrics.human_track import HumanScore, score_human
from rhobin.metrics.joint_track import JointScore, score_joint
from rhobin.metrics.object_track import ObjectScore, score_object
from rhobin.metrics.protocol import (
    HUMAN_MODES,
    JOINT_MODES,
    OBJECT_MODES,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    PaperTable,
)
from rhobin.reports.submissions import Challenge

MODES: Mapping[str, Mapping[str, Any]] = {
    "human": HUMAN_MODES,
    "object": OBJECT_MODES,
    "joint": JOINT_MODES,
}
TrackScore = HumanScore | ObjectScore | JointScore

PAPER: dict[str, tuple[PaperTable, tuple[tuple[str, float], ...]]] = {
    "object": (
        TABLE_2,
        (
            ("MSSD", 1e-3),
            ("MSPD", 1),
            ("RE", 1),
            ("MSSD_AR", 1),
            ("MSPD_AR", 1),
            ("RE_AR", 1),
            ("AR_all", 1),
        ),
    ),
    "human": (
        TABLE_3,
        (("MPJPE", 1), ("MPJPE_PA", 1), ("PCK", 1), ("AUC", 1), ("MPJAE", 1), ("MPJAE_PA", 1)),
    ),
    "joint": (TABLE_4, (("SMPL", 1), ("Object", 1))),
}
"""The paper's table of each track, and our score of each of its columns with the factor to its unit."""


@dataclass(frozen=True)
class TrackResult:
    """A score and what belongs to it.

    Attributes:
        mode: protocol mode.
        score: the score at the protocol's own seed.
        seeds: scores at further seeds, by seed; empty where nothing is random.
        origin: hashes and names the score depends on.
        edition: 2023, or 2024 where the ground truth is by image.
    """

    mode: str
    score: TrackScore
    seeds: dict[int, dict[str, float]]
    origin: dict[str, str]
    edition: str = "2023"


def score_track(
    track: str,
    challenge: Challenge,
    results: Mapping[str, Any],
    mode: str = "official",
    seeds: int = 1,
    source: str = "results",
    origin: Mapping[str, str] | None = None,
    workers: int = 2,
) -> TrackResult:
    """Score one track.

    Args:
        track: human, object or joint.
        challenge: ground truth and body models.
        results: predictions by sequence name.
        mode: official, paper, strict, 2024, and for the joint track chore. Official is 2024 where the ground
            truth is by image.
        seeds: number of sampling seeds; the first is the protocol's.
        source: what to call the results in messages.
        origin: what else to record with the score.
        workers: threads.

    Returns:
        The score, and the spread over seeds.

    Raises:
        ValueError: the mode is unknown, or the results cannot be scored.
    """
    if mode not in MODES[track]:
        raise ValueError(f"The {track} track has no mode {mode!r}; choose one of {', '.join(MODES[track])}.")
    if mode == "official" and challenge.edition == "2024":
        mode = "2024"
    protocol = MODES[track][mode]
    scorer = _scorer(track, challenge, results, source, workers)
    score = scorer(protocol)
    spread: dict[int, dict[str, float]] = {}
    if getattr(protocol, "samples", 0) and seeds > 1 and score.examples:
        spread[protocol.seed] = score.metrics()
        for seed in range(protocol.seed + 1, protocol.seed + seeds):
            spread[seed] = scorer(replace(protocol, seed=seed)).metrics()
    known = {"rhobin": rhobin.__version__, "body": challenge.body, "ref_hash": challenge.ref_hash}
    return TrackResult(mode, score, spread, {**known, **(origin or {})}, challenge.edition)


def paper_rows(track: str, scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """The paper's rows with ours minus theirs, in the paper's units.

    Args:
        track: human, object or joint.
        scores: our scores under their official names.

    Returns:
        ``row``, ``table``, ``quoted`` and ``difference`` of each row, by our name of the score.
    """
    table, columns = PAPER[track]
    rows = []
    for name, values in table.rows:
        quoted = {key: value for (key, _), value in zip(columns, values, strict=True)}
        difference = {key: scores[key] * factor - quoted[key] for key, factor in columns}
        rows.append({"row": name, "table": table.number, "quoted": quoted, "difference": finite(difference)})
    return rows


def _scorer(
    track: str, challenge: Challenge, results: Mapping[str, Any], source: str, workers: int
) -> Callable[[Any], TrackScore]:
    truth, templates, bodies = challenge.annotations, challenge.templates, challenge.bodies
    if track == "human":
        return lambda protocol: score_human(truth, results, bodies, protocol, source)
    if track == "object":
        return lambda protocol: score_object(truth, templates, results, protocol, source, workers)
    return lambda protocol: score_joint(truth, templates, results, bodies, protocol, source, workers)


def finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    """Scores with None for those that are not finite."""
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
