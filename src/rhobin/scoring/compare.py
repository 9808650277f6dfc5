"""How sure the scores of a run are, and its lead over another run, from their errors of frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.metrics.contact import of_all_frames
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.track import Column, Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.document import JOINTS_VISIBLE, VISIBLE_DECIMALS, FrameRow, read_scores
from rhobin.scoring.sequence_means import (
    OBJECT_COLUMNS,
    Spread,
    score_values,
    sequence_of,
    spread_of,
    with_f1,
    with_failed,
)

Key = tuple[str, str]


@dataclass(frozen=True)
class FrameScores:
    """What a track's scores are means of.

    Attributes:
        source: the run's folder, or the file of results.
        track: joint, human or object.
        protocol: how it was scored, as JSON has it.
        body: hash of the body models' files; empty where it is not known, or no people are scored.
        visible: visible fraction of the object by frame, (sequence, name), in order; None of a frame that has
            no prediction and counts as failed.
        scores: (N,) by name of the score, in the order of `visible`.
        notes: what the evaluator silently accepted in a file that was scored just now.
    """

    source: Path
    track: str
    protocol: Mapping[str, Any]
    body: str
    visible: Mapping[Key, float | None]
    scores: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Spreads by name of the score.

    Attributes:
        frames: how many frames they are of.
        sequences: of how many sequences.
        left_out: scored frames that only one of two runs has.
        runs: of each run, in the order given.
        difference: second minus first, in pairs; empty for one run.
    """

    frames: int
    sequences: int
    left_out: int
    runs: tuple[dict[str, Spread], ...]
    difference: dict[str, Spread]


def read_frame_scores(folder: Path, track: str, seen_below: float | None = None) -> FrameScores:
    """Scores of single frames of a scored run.

    Args:
        folder: run folder, or what ``rhobin score`` wrote.
        track: joint, human or object.
        seen_below: only frames that show a smaller share of the person's joints; see
                `rhobin.scoring.visibility.seen_joints`.

    Raises:
        FileNotFoundError: the run is not scored.
        ValueError: it has no score in the track, or of no such frame.
    """
    document, by_row = read_scores(folder)
    row = document["origin"]["row"]
    record = document["tracks"].get(track, {}).get(row, {})
    if "scores" not in record:
        there = ", ".join(document["tracks"]) or "none"
        raise ValueError(
            f"{folder}: no score of {row} in the {track} track (scored tracks: {there}); name one by --track"
        )
    needed, possible = _error_columns(TRACKS[track])
    rows = [frame for frame in by_row[row] if needed <= frame.errors.keys()]
    missing = record["missing"] if record["protocol"].get("missing_fails") else []
    if seen_below is not None:
        rows, missing = _much_hidden(rows, seen_below, folder), []
    names = needed | {name for name in possible if any(name in frame.errors for frame in rows)}
    errors = {name: np.array([frame.errors.get(name, np.nan) for frame in rows]) for name in names}
    visible = {(frame.sequence, frame.frame): frame.visible for frame in rows}
    body = document["origin"].get("body_hash", "")
    return _frame_scores(folder, track, record["protocol"], body, visible, errors, missing)


def frame_scores(source: Path, score: ScoredFrames, body: str = "") -> FrameScores:
    """Scores of single frames of predictions that were scored just now.

    Args:
        source: the file of results.
        score: of them.
        body: hash of the body models' files.

    Raises:
        ValueError: they have no score.
    """
    if not score.examples:
        told = f"{100 * score.coverage:.1f} % of the frames are predicted"
        raise ValueError(f"{source}: no score in the {score.track} track: {told}")
    visible = {(e.sequence, e.frame): round(e.visible, VISIBLE_DECIMALS) for e in score.examples}
    protocol = json.loads(json.dumps(score.protocol.as_dict()))
    missing = score.missing if protocol.get("missing_fails") else ()
    found = _frame_scores(source, score.track, protocol, body, visible, score.columns(), missing)
    return replace(found, notes=score.notes)


def compare(runs: tuple[FrameScores, ...]) -> Comparison:
    """How sure one or two sets of scores are; the difference of two on the frames that both have.

    Args:
        runs: one or two, of the same track.

    Raises:
        ValueError: the runs were scored by different protocols or against different data, or all frames are
            of one sequence.
    """
    frames = _common_frames(runs)
    names = [name for name in runs[0].scores if name in runs[-1].scores]
    track, sequences = TRACKS[runs[0].track], [sequence for sequence, _ in frames]
    if len(set(sequences)) < 2:
        raise ValueError(f"{runs[0].source}: expected frames of at least two sequences, found {sequences[0]}")
    tables = [_table(run, frames, names) for run in runs]
    found = tuple(
        {name: spread_of(track.column(name), table[name], sequences) for name in names} for table in tables
    )
    both = (
        {name: _difference(track.column(name), tables[0][name], tables[-1][name]) for name in names}
        if len(runs) == 2
        else {}
    )
    every = set().union(*(run.visible for run in runs))
    return Comparison(
        frames=len(frames),
        sequences=len(set(sequences)),
        left_out=len(every) - len(frames),
        runs=found,
        difference={
            name: spread_of(track.column(name), values, sequences, difference=True)
            for name, values in both.items()
        },
    )


def _frame_scores(
    source: Path,
    track: str,
    protocol: Mapping[str, Any],
    body: str,
    visible: Mapping[Key, float],
    errors: Mapping[str, np.ndarray],
    missing: Any,
) -> FrameScores:
    """With frames that fail since they have no prediction, where the protocol counts those."""
    record, lost = TRACKS[track], {(sequence_of(name), name.rpartition("/")[2]): None for name in missing}
    values = score_values(record, errors, protocol)
    scores = {name: with_failed(record.column(name), of, len(lost)) for name, of in values.items()}
    known = body if "human" in record.parts else ""
    return FrameScores(source, track, protocol, known, {**visible, **lost}, scores)


def _much_hidden(rows: list[FrameRow], below: float, folder: Path) -> list[FrameRow]:
    kept = [frame for frame in rows if frame.errors.get(JOINTS_VISIBLE, 1.0) < below]
    if not kept:
        raise ValueError(
            f"{folder}: expected frames with {JOINTS_VISIBLE} below {below:g}, found none in frames.csv; "
            f"score again if it lacks that column: python eval.py run={folder} force=true"
        )
    return kept


def _error_columns(track: Track) -> tuple[set[str], set[str]]:
    """Columns of ``frames.csv`` that every scored frame has, and those that only some have."""
    needed = {column.frames for column in track.columns if column.frames}
    if track.name == "object":
        needed = {*needed, *OBJECT_COLUMNS}
    return needed, {column.frames for column in track.later if column.frames}


def _common_frames(runs: tuple[FrameScores, ...]) -> list[Key]:
    first, last = runs[0], runs[-1]
    keys = {**first.protocol, **last.protocol}
    differing = [key for key in keys if first.protocol.get(key) != last.protocol.get(key)]
    if differing:
        settings = ", ".join(
            f"{key} {first.protocol.get(key)} and {last.protocol.get(key)}" for key in differing
        )
        raise ValueError(
            f"{first.source} was scored as {first.protocol['name']}, {last.source} as "
            f"{last.protocol['name']}: expected the same settings, found {settings}; score one again with "
            "those of the other"
        )
    frames = [frame for frame in first.visible if frame in last.visible]
    pairs = ((frame, first.visible[frame], last.visible[frame]) for frame in frames)
    other = next((frame for frame, *both in pairs if None not in both and both[0] != both[1]), None)
    if other is not None or not frames:
        why = "they share no frame" if other is None else f"{'/'.join(other)} shows the object differently"
        raise ValueError(
            f"{first.source} and {last.source} were scored on different data: {why}; evaluate both on one "
            "root: python eval.py run=RUN data.root=ROOT"
        )
    return frames


def _difference(column: Column, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Values (N,) of frames whose mean is the difference of two scores; NaN where one score is infinite.

    Means of sequences are taken of the frames that count in both.
    """
    if np.isinf(first).any() or np.isinf(last).any():
        return np.full(len(first), np.nan)
    return last - first if column.by_sequence else of_all_frames(last) - of_all_frames(first)


def _table(run: FrameScores, frames: list[Key], names: list[str]) -> dict[str, np.ndarray]:
    """Scores (N,) of some frames by name."""
    place = {frame: row for row, frame in enumerate(run.visible)}
    rows = [place[frame] for frame in frames]
    return with_f1({name: run.scores[name][rows] for name in names})
