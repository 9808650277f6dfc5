"""`scores.json` and `frames.csv`: one schema for every track and every number of rows (docs/protocol.md)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.files import SEAL, read_json, seal, write_bytes, write_sealed
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.breakdown import breakdown
from rhobin.scoring.sequence_means import intervals
from rhobin.scoring.track import finite

SCHEMA = 5
SCORES, FRAMES = "scores.json", "frames.csv"
VISIBLE_DECIMALS = 4
JOINTS_VISIBLE = "joints_visible"
"""Column of how much of the person a frame shows; see `rhobin.scoring.visibility.seen_joints`."""

_KEYS = ("row", "sequence", "frame", "object", "visible")


@dataclass(frozen=True)
class ScoredRow:
    """How one set of predictions did in one track.

    Attributes:
        score: the score; None where the server would give none at all.
        reason: why not.
        notes: what to know of it, beside the score's own notes.
        more: what else `scores.json` says of it.
        columns: what else ``frames.csv`` says of the scored frames, (N,) each.
    """

    score: ScoredFrames | None
    reason: str = ""
    notes: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)


Scores = Mapping[str, Mapping[str, ScoredRow]]
"""Scored rows by track and by name of the row."""


@dataclass(frozen=True)
class FrameRow:
    """Errors of one frame in every track that scored it.

    Attributes:
        sequence: sequence name.
        frame: frame name.
        object_name: name of its object.
        visible: visible fraction of the object.
        errors: by column of ``frames.csv``, unit in the name; `ScoredRow.columns` are among them.
    """

    sequence: str
    frame: str
    object_name: str
    visible: float
    errors: Mapping[str, float]

    @property
    def name(self) -> str:
        """``sequence/frame``."""
        return f"{self.sequence}/{self.frame}"


def scores_document(scores: Scores, origin: Mapping[str, Any]) -> dict[str, Any]:
    """What `scores.json` holds, as plain data; numbers that do not exist are null.

    Args:
        scores: scored rows by track and row.
        origin: hashes and names the scores depend on; ``row`` is the name of the method's row.
    """
    tracks = {track: {name: _row(row) for name, row in rows.items()} for track, rows in scores.items()}
    return {"schema": SCHEMA, "origin": dict(origin), "tracks": tracks}


def write_scores(folder: Path, scores: Scores, origin: Mapping[str, Any]) -> None:
    """Write `scores.json` and the table of single frames, `frames.csv`; arguments as `scores_document`."""
    frames, document = frames_table(scores).encode(), scores_document(scores, origin)
    write_bytes(folder / FRAMES, frames)
    write_sealed(folder / SCORES, document, frames)


def frames_table(scores: Scores) -> str:
    """A line for each row and frame, a column for each error of each track; empty where it is not scored."""
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    columns: dict[str, None] = {}
    for rows in scores.values():
        for name, row in rows.items():
            errors = {**row.score.columns(), **row.columns} if row.score else {}
            columns |= dict.fromkeys(errors)
            for index, e in enumerate(row.score.examples if errors and row.score else ()):
                facts = {"row": name, "sequence": e.sequence, "frame": e.frame, "object": e.object_name}
                facts["visible"] = f"{e.visible:.{VISIBLE_DECIMALS}f}"
                line = lines.setdefault((name, e.sequence, e.frame), facts)
                line.update({column: _cell(float(values[index])) for column, values in errors.items()})
    order = {name: place for place, name in enumerate(_row_names(scores))}
    table = io.StringIO()
    writer = csv.DictWriter(table, [*_KEYS, *columns], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(lines.values(), key=lambda line: order[line["row"]]))
    return table.getvalue()


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def read_document(path: Path) -> dict[str, Any]:
    """Read `scores.json`, and check that it and `frames.csv` beside it are as they were written.

    Raises:
        FileNotFoundError: one of them is missing.
        ValueError: it has another schema, or one of them was changed or damaged.
    """
    frames, again = path.parent / FRAMES, f"python eval.py run={path.parent} force=true, or rhobin score"
    for file in (path, frames):
        if not file.is_file():
            raise FileNotFoundError(_unscored(file))
    try:
        document = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, found {error}; score again: {again}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise ValueError(f"{path}: expected scores of schema {SCHEMA}, found {found}; score again: {again}")
    if document.get(SEAL) != seal(document, frames.read_bytes()):
        raise ValueError(
            f"{path}: its {SEAL} is not that of what it and {FRAMES} say, so one of them was changed after "
            f"they were written; score again: {again}"
        )
    return document


def read_scores(folder: Path) -> tuple[dict[str, Any], dict[str, list[FrameRow]]]:
    """Read `scores.json` and `frames.csv` of a run.

    Args:
        folder: the run folder.

    Returns:
        The document, and the errors of frames by row.

    Raises:
        FileNotFoundError: the run is not scored.
        ValueError: another schema, or changed files.
    """
    document = read_document(folder / SCORES)
    frames: dict[str, list[FrameRow]] = {name: [] for name in _row_names(document["tracks"])}
    with (folder / FRAMES).open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            row, sequence, frame, obj, visible = (line.pop(key) for key in _KEYS)
            errors = {name: float(value) for name, value in line.items() if value}
            frames[row].append(FrameRow(sequence, frame, obj, float(visible), errors))
    return document, frames


def _unscored(file: Path) -> str:
    """What to do about a missing file of scores."""
    folder = file.parent
    if not folder.is_dir():
        return f"{folder}: there is no such folder or file; expected a scored run. rhobin runs lists runs"
    if (folder / "config.yaml").is_file():
        return f"{file} is missing. Score the run: python eval.py run={folder}"
    below = sorted(str(path.parent) for path in folder.glob(f"*/{SCORES}"))
    if below:
        return f"{file} is missing, but folders in it have scores. Name one of them: {', '.join(below)}"
    return (
        f"{file} is missing: expected a scored run, or a folder that rhobin score has written. Score a run "
        "by python eval.py run=RUN, a file of results by rhobin score"
    )


def _row_names(tracks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the rows of all tracks, in the order of the first track that has them."""
    return list(dict.fromkeys(name for rows in tracks.values() for name in rows))


def _row(row: ScoredRow) -> dict[str, Any]:
    if row.score is None:
        return {"reason": row.reason, **row.more}
    score = row.score
    return {
        "scores": finite(score.metrics()),
        "intervals": intervals(score),
        "frames": len(score.examples),
        "visible_frames": score.visible,
        "coverage": score.coverage,
        "missing": list(score.missing),
        "notes": [*row.notes, *score.notes],
        "protocol": score.protocol.as_dict(),
        "by_object": breakdown(score, "object_name"),
        "by_visible": breakdown(score, "visible"),
        **row.more,
    }


def scored_tracks(document: Mapping[str, Any]) -> list[str]:
    """Tracks in which the method's row has a score, the joint one first."""
    ours = document["origin"]["row"]
    return [name for name in TRACKS if "scores" in document["tracks"].get(name, {}).get(ours, {})]
