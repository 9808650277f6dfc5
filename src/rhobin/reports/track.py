"""Score a track of the challenge and write everything about the score."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import rhobin
from rhobin.behave.write import write_bytes
from rhobin.metrics.human_track import HumanScore, score_human
from rhobin.metrics.object_track import ObjectScore, score_object
from rhobin.metrics.official import FrameError, JointScore, score_joint
from rhobin.metrics.protocol import (
    HUMAN_MODES,
    JOINT_MODES,
    OBJECT_MODES,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    PaperTable,
)
from rhobin.metrics.submission import Example
from rhobin.reports.score import visible_bin
from rhobin.reports.submissions import Challenge

SCHEMA = 1
FILES = ("scores.txt", "scores.json", "frames.csv")
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
    """

    mode: str
    score: TrackScore
    seeds: dict[int, dict[str, float]]
    origin: dict[str, str]


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
        mode: official, paper, strict, 2024, and for the joint track chore.
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
    protocol = MODES[track][mode]
    scorer = _scorer(track, challenge, results, source, workers)
    score = scorer(protocol)
    spread: dict[int, dict[str, float]] = {}
    if getattr(protocol, "samples", 0) and seeds > 1 and score.examples:
        spread[protocol.seed] = score.metrics()
        for seed in range(protocol.seed + 1, protocol.seed + seeds):
            spread[seed] = scorer(replace(protocol, seed=seed)).metrics()
    known = {"rhobin": rhobin.__version__, "body": challenge.body, "ref_hash": challenge.ref_hash}
    return TrackResult(mode, score, spread, {**known, **(origin or {})})


def document(result: TrackResult) -> dict[str, Any]:
    """What ``scores.json`` of a track holds, as plain data; numbers that do not exist are null."""
    score = result.score
    return {
        "schema": SCHEMA,
        "track": score.track,
        "mode": result.mode,
        "protocol": score.protocol.as_dict(),
        "scores": _finite(score.metrics()),
        "frames": len(score.examples),
        "visible_frames": score.visible,
        "coverage": score.coverage,
        "missing": list(score.missing),
        "notes": list(score.notes),
        "spread": _spread(result.seeds),
        "paper": paper_rows(score.track, score.metrics()),
        "by_object": _breakdown(score, "object_name"),
        "by_sequence": _breakdown(score, "sequence"),
        "by_visible": _breakdown(score, "visible"),
        "origin": result.origin,
    }


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
        rows.append({"row": name, "table": table.number, "quoted": quoted, "difference": _finite(difference)})
    return rows


def write_track(folder: Path, result: TrackResult) -> None:
    """Write the official ``scores.txt``, ``scores.json`` and the per-frame table ``frames.csv``.

    Args:
        folder: where to.
        result: the score.
    """
    scores = result.score.metrics()
    lines = "".join(f"{name}: {value}\n" for name, value in scores.items() if not math.isinf(value))
    write_bytes(folder / "scores.txt", lines.encode())
    write_bytes(folder / "scores.json", (json.dumps(document(result), indent=2) + "\n").encode())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    columns = result.score.columns()
    writer.writerow(("sequence", "frame", "object", "visible", *columns))
    for row, e in enumerate(_examples(result.score)):
        errors = (f"{values[row]:.6f}" for values in columns.values())
        writer.writerow((e.sequence, e.frame, e.object_name, f"{e.visible:.4f}", *errors))
    write_bytes(folder / "frames.csv", table.getvalue().encode())


def clear_track(folder: Path) -> None:
    """Leave an empty ``scores.txt``, as the server does without a score, and no other score behind."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    write_bytes(folder / "scores.txt", b"")


def _scorer(
    track: str, challenge: Challenge, results: Mapping[str, Any], source: str, workers: int
) -> Callable[[Any], TrackScore]:
    truth, templates, bodies = challenge.annotations, challenge.templates, challenge.bodies
    if track == "human":
        return lambda protocol: score_human(truth, results, bodies, protocol, source)
    if track == "object":
        return lambda protocol: score_object(truth, templates, results, protocol, source, workers)
    return lambda protocol: score_joint(truth, templates, results, bodies, protocol, source, workers)


def _examples(score: TrackScore) -> tuple[Example | FrameError, ...]:
    return score.examples


def _breakdown(score: TrackScore, key: str) -> dict[str, dict[str, Any]]:
    members: dict[str, list[int]] = {}
    for row, example in enumerate(_examples(score)):
        value = visible_bin(example.visible) if key == "visible" else getattr(example, key)
        members.setdefault(value, []).append(row)
    return {
        name: {**_finite(score.metrics(np.array(rows))), "frames": len(rows)}
        for name, rows in sorted(members.items())
    }


def _spread(seeds: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    if not seeds:
        return {}
    names = next(iter(seeds.values()))
    values = {name: np.array([scores[name] for scores in seeds.values()]) for name in names}
    return {
        "seeds": list(seeds),
        "mean": _finite({name: float(v.mean()) for name, v in values.items()}),
        "std": _finite({name: float(v.std(ddof=1)) for name, v in values.items()}),
    }


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
