"""From prediction files to scores: per-frame errors, their means, and the files that hold both."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rhobin.behave.ref import read_ref
from rhobin.body.load import load_body
from rhobin.body.model import BodyModel
from rhobin.files import write_json, write_text
from rhobin.metrics.joint_track import FrameError, JointScore, score_joint
from rhobin.metrics.protocol import JointProtocol

SCHEMA = 2
VISIBLE_EDGES = (0, 30, 40, 60, 80, 100)
LAST = len(VISIBLE_EDGES) - 1
_COLUMNS = ("row", "sequence", "frame", "object", "visible", "smpl_mm", "object_mm")


@dataclass(frozen=True)
class Group:
    """Mean errors of the frames that share something.

    Attributes:
        name: what they share.
        frames: how many.
        smpl_mm: mean body error, millimetres.
        object_mm: mean object error, millimetres.
    """

    name: str
    frames: int
    smpl_mm: float
    object_mm: float


def score_rows(
    ref: Path,
    rows: Mapping[str, Mapping[str, Any]],
    protocol: JointProtocol,
    body_folder: Path | None = None,
    workers: int = 2,
) -> dict[str, JointScore]:
    """Score several sets of predictions against one ground truth file.

    Args:
        ref: the challenge's ``ref.pkl``.
        rows: predictions by sequence, under the name of their row.
        protocol: how to score.
        body_folder: licensed body models; None for the stand-in.
        workers: threads.

    Returns:
        The score of each row, in the order given.
    """
    annotations, templates = read_ref(ref)
    bodies = scoring_bodies({a.gender for a in annotations.values()}, body_folder)
    return {
        name: score_joint(annotations, templates, results, bodies, protocol, f"row {name}", workers)
        for name, results in rows.items()
    }


def scoring_bodies(genders: Iterable[str], folder: Path | None = None) -> dict[str, BodyModel]:
    """Body models in double precision, as the official evaluator uses them.

    Args:
        genders: which to load.
        folder: licensed body models; None for the stand-in.

    Returns:
        Models by gender.
    """
    return {gender: load_body(gender, folder, torch.float64) for gender in sorted(genders)}


def group_errors(frames: Iterable[FrameError], key: str) -> list[Group]:
    """Mean errors by an attribute of the frames.

    Args:
        frames: errors of frames.
        key: ``object_name``, ``sequence`` or ``visible`` (in bins).

    Returns:
        One group per value, sorted by name.
    """
    members: dict[str, list[FrameError]] = {}
    for frame in frames:
        value = visible_bin(frame.visible) if key == "visible" else getattr(frame, key)
        members.setdefault(value, []).append(frame)
    return [
        Group(
            name,
            len(group),
            float(np.mean([f.smpl_mm for f in group])),
            float(np.mean([f.object_mm for f in group])),
        )
        for name, group in sorted(members.items())
    ]


def visible_bin(visible: float) -> str:
    """The visible fraction as a range of percentages: `VISIBLE_EDGES`."""
    upper = next(i for i in range(1, len(VISIBLE_EDGES)) if visible < VISIBLE_EDGES[i] / 100 or i == LAST)
    return f"{VISIBLE_EDGES[upper - 1]}-{VISIBLE_EDGES[upper]} %"


def scores_document(
    scores: Mapping[str, JointScore], origin: Mapping[str, Any], tracks: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What `scores.json` holds.

    Args:
        scores: score of each row.
        origin: hashes and names the scores depend on.
        tracks: scores of each row in further tracks, by track.

    Returns:
        Plain data: ``rows`` by name, in order, with means, frame count, coverage, protocol and breakdowns.
        A mean that does not exist (too few frames predicted) is null. ``tracks``: further tracks, by row.
    """
    rows = {name: _row(score) for name, score in scores.items()}
    return {"schema": SCHEMA, "origin": dict(origin), "rows": rows, "tracks": dict(tracks or {})}


def write_scores(
    folder: Path,
    scores: Mapping[str, JointScore],
    origin: Mapping[str, Any],
    tracks: Mapping[str, Any] | None = None,
) -> None:
    """Write `scores.json` and the per-frame table `frames.csv`.

    Args:
        folder: the run folder.
        scores: score of each row.
        origin: hashes and names the scores depend on.
        tracks: scores of each row in further tracks, by track.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for name, score in scores.items():
        for f in score.frames:
            errors = (f"{f.visible:.4f}", f"{f.smpl_mm:.6f}", f"{f.object_mm:.6f}")
            writer.writerow((name, f.sequence, f.frame, f.object_name, *errors))
    write_text(folder / "frames.csv", table.getvalue())
    write_json(folder / "scores.json", scores_document(scores, origin, tracks), indent=2)


def read_scores(folder: Path) -> tuple[dict[str, Any], dict[str, list[FrameError]]]:
    """Read `scores.json` and `frames.csv` of a run.

    Args:
        folder: the run folder.

    Returns:
        The document, and the errors of frames by row.

    Raises:
        FileNotFoundError: the run is not scored.
        ValueError: another schema.
    """
    for name in ("scores.json", "frames.csv"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing. Score the run: python eval.py run={folder}")
    document = json.loads((folder / "scores.json").read_text())
    if document.get("schema") != SCHEMA:
        raise ValueError(
            f"{folder / 'scores.json'}: expected schema {SCHEMA}, found {document.get('schema')}."
        )
    frames: dict[str, list[FrameError]] = {name: [] for name in document["rows"]}
    with (folder / "frames.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            errors = (float(line["visible"]), float(line["smpl_mm"]), float(line["object_mm"]))
            frames[line["row"]].append(FrameError(line["sequence"], line["frame"], line["object"], *errors))
    return document, frames


def _row(score: JointScore) -> dict[str, Any]:
    return {
        "smpl_mm": _finite(score.smpl_mm),
        "object_mm": _finite(score.object_mm),
        "frames": len(score.frames),
        "visible_frames": score.visible,
        "coverage": score.coverage,
        "missing": list(score.missing),
        "protocol": score.protocol.as_dict(),
        "by_object": {g.name: _group(g) for g in group_errors(score.frames, "object_name")},
        "by_visible": {g.name: _group(g) for g in group_errors(score.frames, "visible")},
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _group(group: Group) -> dict[str, float | int]:
    return {"smpl_mm": group.smpl_mm, "object_mm": group.object_mm, "frames": group.frames}
