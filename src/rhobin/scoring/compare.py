"""How sure the scores of a run are, and its lead over another run, from their stored errors of frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.metrics.bootstrap import resampled_means
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import frame_recalls
from rhobin.metrics.protocol import ObjectProtocol
from rhobin.metrics.track import Track
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.document import JOINTS_VISIBLE, FrameRow, read_scores

Key = tuple[str, str]


@dataclass(frozen=True)
class FrameScores:
    """What a track's scores are means of.

    Attributes:
        source: the run's folder.
        protocol: how it was scored.
        visible: visible fraction of the object by frame, (sequence, name), in order.
        scores: (N,) by name of the score, in the order of `visible`.
    """

    source: Path
    protocol: Mapping[str, Any]
    visible: Mapping[Key, float]
    scores: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Spread:
    """A value and how it varies with the test sequences.

    Attributes:
        value: on the test set as it is.
        deviation: standard deviation over the draws.
        low: 2.5 % of the draws are below.
        high: 2.5 % of the draws are above.
    """

    value: float
    deviation: float
    low: float
    high: float


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
        raise ValueError(f"{folder}: no score of {row} in the {track} track (scored tracks: {there})")
    names = _error_columns(TRACKS[track])
    rows = [frame for frame in by_row[row] if names <= frame.errors.keys()]
    if seen_below is not None:
        rows = _much_hidden(rows, seen_below, folder)
    errors = {name: np.array([frame.errors[name] for frame in rows]) for name in names}
    visible = {(frame.sequence, frame.frame): frame.visible for frame in rows}
    return FrameScores(
        folder, record["protocol"], visible, _scores(TRACKS[track], errors, record["protocol"])
    )


def compare(runs: tuple[FrameScores, ...], draws: int = 10_000, seed: int = 0) -> Comparison:
    """Bootstrap one or two runs by sequence; two on the frames that both have, with the same draws.

    Args:
        runs: one or two, of the same track.
        draws: number of resampled test sets.
        seed: of the draws.

    Raises:
        ValueError: the runs were scored by different protocols or against different data.
    """
    frames = _common_frames(runs)
    names = list(runs[0].scores)
    columns = [_table(run, frames, names) for run in runs]
    columns += [columns[1] - columns[0]] if len(runs) == 2 else []
    sequences = [sequence for sequence, _ in frames]
    drawn = np.split(resampled_means(np.hstack(columns), sequences, draws, seed), len(columns), axis=1)
    spreads = [
        dict(zip(names, map(_spread, values.T, means.T), strict=True))
        for values, means in zip(columns, drawn, strict=True)
    ]
    every = set().union(*(run.visible for run in runs))
    return Comparison(
        frames=len(frames),
        sequences=len(set(sequences)),
        left_out=len(every) - len(frames),
        runs=tuple(spreads[: len(runs)]),
        difference=spreads[2] if len(runs) == 2 else {},
    )


def _much_hidden(rows: list[FrameRow], below: float, folder: Path) -> list[FrameRow]:
    kept = [frame for frame in rows if frame.errors.get(JOINTS_VISIBLE, 1.0) < below]
    if not kept:
        raise ValueError(
            f"{folder}: expected frames with {JOINTS_VISIBLE} below {below:g}, found none in frames.csv; "
            f"score again if it lacks that column: python eval.py run={folder} force=true"
        )
    return kept


def _error_columns(track: Track) -> set[str]:
    """Columns of ``frames.csv`` that the track's scores follow from."""
    if track.name == "object":
        return {field.name for field in fields(ObjectErrors)}
    return {column.frames for column in track.columns if column.frames}


def _scores(
    track: Track, errors: Mapping[str, np.ndarray], protocol: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The scores that are means over frames."""
    scores = {column.name: errors[column.frames] for column in track.columns if column.frames}
    if track.name == "object":
        settings: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in protocol.items()
        }
        scores |= frame_recalls(ObjectErrors(**errors), ObjectProtocol(**settings))
    return scores


def _common_frames(runs: tuple[FrameScores, ...]) -> list[Key]:
    first, last = runs[0], runs[-1]
    if first.protocol != last.protocol:
        raise ValueError(
            f"{first.source} was scored as {first.protocol['name']}, {last.source} as "
            f"{last.protocol['name']}: expected the same settings; score one again with those of the other"
        )
    frames = [frame for frame in first.visible if frame in last.visible]
    other = next((frame for frame in frames if first.visible[frame] != last.visible[frame]), None)
    if other is not None or not frames:
        why = "they share no frame" if other is None else f"{'/'.join(other)} shows the object differently"
        raise ValueError(
            f"{first.source} and {last.source} were scored on different data: {why}; evaluate both on one "
            "root: python eval.py run=RUN data.root=ROOT"
        )
    return frames


def _table(run: FrameScores, frames: list[Key], names: list[str]) -> np.ndarray:
    """Scores (N, S) of some frames."""
    place = {frame: row for row, frame in enumerate(run.visible)}
    rows = [place[frame] for frame in frames]
    return np.stack([run.scores[name][rows] for name in names], axis=1)


def _spread(values: np.ndarray, means: np.ndarray) -> Spread:
    """Of the mean of a score's values (N,), from its resampled means (D,)."""
    low, high = np.quantile(means, [0.025, 0.975])
    return Spread(float(values.mean()), float(means.std(ddof=1)), float(low), float(high))
