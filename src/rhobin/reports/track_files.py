"""The files of a track's score: the server's ``scores.txt``, ``scores.json`` and ``frames.csv``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.files import write_json, write_text
from rhobin.metrics.joint_track import FrameError
from rhobin.metrics.submission import Example
from rhobin.reports.images import dataset_of
from rhobin.reports.score import visible_bin
from rhobin.reports.track import TrackResult, TrackScore, finite, paper_rows

SCHEMA = 1
FILES = ("scores.txt", "scores.json", "frames.csv")

NAMES_2024 = {
    "human": {name: name for name in ("MPJPE", "MPJPE_PA", "AUC", "MPJAE", "MPJAE_PA", "v2v")},
    "object": {"MSSD_AR": "MSSD", "MSPD_AR": "MSPD", "RE_AR": "RE", "AR_all": "AR_all"},
    "joint": {"SMPL": "SMPL", "Object": "obj"},
}
"""Our scores that the servers of 2024 write for each data set, and what they call them."""


def document(result: TrackResult) -> dict[str, Any]:
    """What ``scores.json`` of a track holds, as plain data; numbers that do not exist are null."""
    score = result.score
    return {
        "schema": SCHEMA,
        "track": score.track,
        "mode": result.mode,
        "edition": result.edition,
        "protocol": score.protocol.as_dict(),
        "scores": finite(score.metrics()),
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
        "by_dataset": _breakdown(score, "dataset") if result.edition == "2024" else {},
        "origin": result.origin,
    }


def write_track(folder: Path, result: TrackResult) -> None:
    """Write the official ``scores.txt``, ``scores.json`` and the per-frame table ``frames.csv``.

    Args:
        folder: where to.
        result: the score.
    """
    lines = "".join(f"{k}: {v}\n" for k, v in server_scores(result).items() if not math.isinf(v))
    write_text(folder / "scores.txt", lines)
    write_json(folder / "scores.json", document(result), indent=2)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    columns = result.score.columns()
    writer.writerow(("sequence", "frame", "object", "visible", *columns))
    for row, e in enumerate(_examples(result.score)):
        errors = (f"{values[row]:.6f}" for values in columns.values())
        writer.writerow((e.sequence, e.frame, e.object_name, f"{e.visible:.4f}", *errors))
    write_text(folder / "frames.csv", table.getvalue())


def server_scores(result: TrackResult) -> dict[str, float]:
    """The scores as the server names them: in 2024 one of each data set, of which the recalls are AR."""
    score = result.score
    if result.mode != "2024" or result.edition != "2024":
        return score.metrics()
    members = _members(score, "dataset")
    means = {dataset: score.metrics(np.array(rows)) for dataset, rows in members.items()}
    return {
        f"{name}_{dataset}": scores[key]
        for dataset, scores in means.items()
        for key, name in NAMES_2024[score.track].items()
    }


def clear_track(folder: Path) -> None:
    """Leave an empty ``scores.txt``, as the server does without a score, and no other score behind."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    write_text(folder / "scores.txt", "")


def _examples(score: TrackScore) -> tuple[Example | FrameError, ...]:
    return score.examples


def _breakdown(score: TrackScore, key: str) -> dict[str, dict[str, Any]]:
    return {
        name: {**finite(score.metrics(np.array(rows))), "frames": len(rows)}
        for name, rows in _members(score, key).items()
    }


def _members(score: TrackScore, key: str) -> dict[str, list[int]]:
    """Rows of the scored frames by an attribute, sorted by its value."""
    members: dict[str, list[int]] = {}
    for row, example in enumerate(_examples(score)):
        members.setdefault(_value(example, key), []).append(row)
    return dict(sorted(members.items()))


def _value(example: Example | FrameError, key: str) -> str:
    if key == "visible":
        return visible_bin(example.visible)
    return dataset_of(example.sequence) if key == "dataset" else str(getattr(example, key))


def _spread(seeds: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    if not seeds:
        return {}
    names = next(iter(seeds.values()))
    values = {name: np.array([scores[name] for scores in seeds.values()]) for name in names}
    return {
        "seeds": list(seeds),
        "mean": finite({name: float(v.mean()) for name, v in values.items()}),
        "std": finite({name: float(v.std(ddof=1)) for name, v in values.items()}),
    }
