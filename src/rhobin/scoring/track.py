"""Score one set of predictions in one track, by one mode of its protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.track import Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.challenge import Challenge

OFFICIAL = "official"
"""The mode that means the rules of the edition that the ground truth is of."""


@dataclass(frozen=True)
class TrackResult:
    """A score and what belongs to it.

    Attributes:
        mode: protocol mode.
        score: the score at the protocol's own seed.
        seeds: scores at further seeds, by seed; empty where nothing is random.
        edition: 2023, or 2024 where the ground truth is by image.
    """

    mode: str
    score: ScoredFrames
    seeds: dict[int, dict[str, float]] = field(default_factory=dict)
    edition: str = "2023"


def every_mode(track: str) -> tuple[str, ...]:
    """Each way of counting of a track once, under the name that says which edition's rules are meant."""
    return "2023", *(mode for mode in TRACKS[track].modes if mode != OFFICIAL)


def protocol_of(track: str, mode: str, edition: str = "2023") -> tuple[str, Any]:
    """The protocol of a mode, and the mode whose rules these are.

    Args:
        track: human, object or joint.
        mode: one of `every_mode`, or official: the rules of the edition.
        edition: of the ground truth: 2023, or 2024 where it is by image.

    Raises:
        ValueError: the track has no such mode.
    """
    modes = TRACKS[track].modes
    if mode not in (OFFICIAL, *every_mode(track)):
        known = ", ".join((OFFICIAL, *every_mode(track)))
        raise ValueError(f"The {track} track has no mode {mode!r}; choose one of {known}.")
    if mode == OFFICIAL and edition == "2024":
        mode = "2024"
    return mode, modes[OFFICIAL if mode == "2023" else mode]


def protocol_words(track: str, protocol: Mapping[str, Any]) -> str:
    """A protocol's name, with the settings that differ from those which the name stands for.

    Args:
        track: human, object or joint.
        protocol: as plain data.
    """
    name, told = protocol["name"], json.loads(json.dumps(protocol))
    known = next((mode.as_dict() for mode in TRACKS[track].modes.values() if mode.name == name), None)
    if known is None:
        return name
    meant = json.loads(json.dumps(known))
    other = [key for key in {**meant, **told} if meant.get(key) != told.get(key)]
    return name + (f" with {', '.join(f'{key} {told.get(key)}' for key in other)}" if other else "")


def score_track(
    track: str,
    challenge: Challenge,
    results: Mapping[str, Any],
    mode: str = "official",
    seeds: int = 1,
    source: str = "results",
    workers: int = 2,
) -> TrackResult:
    """Score one track.

    Args:
        track: human, object or joint.
        challenge: ground truth and body models.
        results: predictions by sequence name.
        mode: as of `protocol_of`.
        seeds: number of sampling seeds; the first is the protocol's.
        source: what to call the results in messages.
        workers: threads.

    Returns:
        The score, and the spread over seeds.

    Raises:
        ValueError: the mode is unknown, or the results cannot be scored.
    """
    record, (mode, protocol) = TRACKS[track], protocol_of(track, mode, challenge.edition)
    score = record.score(challenge, results, protocol, source, workers)
    spread: dict[int, dict[str, float]] = {}
    if getattr(protocol, "samples", 0) and seeds > 1 and score.examples:
        spread[protocol.seed] = score.metrics()
        for seed in range(protocol.seed + 1, protocol.seed + seeds):
            again = record.score(challenge, results, replace(protocol, seed=seed), source, workers)
            spread[seed] = again.metrics()
    return TrackResult(mode, score, spread, challenge.edition)


def paper_rows(track: Track, scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """The paper's rows with ours minus theirs, in the paper's units.

    Args:
        track: whose table.
        scores: our scores under their official names.

    Returns:
        ``row``, ``table``, ``quoted`` and ``difference`` of each row, by our name of the score.
    """
    rows = []
    for name, values in track.paper.rows:
        quoted = {column.name: value for column, value in zip(track.columns, values, strict=True)}
        difference = {c.name: scores[c.name] * c.factor - quoted[c.name] for c in track.columns}
        printed = {"row": name, "table": track.paper.number}
        rows.append({**printed, "quoted": quoted, "difference": finite(difference)})
    return rows


def finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    """Scores with None for those that are not finite."""
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
