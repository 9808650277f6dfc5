"""Scores as means of single frames, and how far they depend on which sequences were tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rhobin.metrics.contact import f1_values
from rhobin.metrics.intervals import sequence_mean
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import frame_recalls
from rhobin.metrics.protocol import ObjectProtocol
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.track import Column, Track
from rhobin.metrics.tracks import TRACKS


@dataclass(frozen=True)
class Spread:
    """A score, or the difference of two, and how it varies with the test sequences (decision 0173).

    Attributes:
        value: on the test set as it is.
        deviation: its standard error; NaN where all frames are of one sequence.
        low: lower end of the 95 % interval; NaN likewise.
        high: upper end.
        chance: p-value of a difference: how often one as large comes of two equal methods.
    """

    value: float
    deviation: float
    low: float
    high: float
    chance: float

    @property
    def ends(self) -> tuple[float, float] | None:
        """The interval; None where all frames are of one sequence, or a score does not exist."""
        ends = self.low, self.high
        return ends if all(map(math.isfinite, ends)) else None


def spread_of(
    column: Column, values: np.ndarray, sequences: Sequence[str], difference: bool = False
) -> Spread:
    """How a score varies.

    Args:
        column: the score.
        values: (N,) of frames; NaN for one that does not count.
        sequences: the sequence of each frame.
        difference: the values are differences, which may be negative.
    """
    found = sequence_mean(values, sequences, column.by_sequence)
    low, high = found.interval(column.top, signed=difference)
    return Spread(found.value, found.error, low, high, found.chance())


def spreads(score: ScoredFrames, rows: np.ndarray | None = None) -> dict[str, Spread]:
    """How the scores of a track vary, by name; none below the coverage gate.

    Args:
        score: of any track.
        rows: indices of scored frames; None for all, with missing ones as the protocol has it.
    """
    track, columns = TRACKS[score.track], score.columns()
    if not columns:
        return {}
    fails = rows is None and getattr(score.protocol, "missing_fails", False)
    missing, chosen = score.missing if fails else (), np.arange(len(score.examples)) if rows is None else rows
    columns = {name: errors[chosen] for name, errors in columns.items()}
    values = score_values(track, columns, score.protocol.as_dict())
    sequences = [score.examples[row].sequence for row in chosen] + [sequence_of(name) for name in missing]
    return {
        name: spread_of(track.column(name), with_failed(track.column(name), of, len(missing)), sequences)
        for name, of in values.items()
    }


def intervals(score: ScoredFrames, rows: np.ndarray | None = None) -> dict[str, list[float] | None]:
    """Ends of the 95 % intervals of scores; None where all frames that count are of one sequence.

    Arguments as of `spreads`.
    """
    ends = {name: spread.ends for name, spread in spreads(score, rows).items()}
    return {name: None if pair is None else list(pair) for name, pair in ends.items()}


def score_values(
    track: Track, errors: Mapping[str, np.ndarray], protocol: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """What scores are means of, (N,) of frames by name of the score.

    Args:
        track: whose scores.
        errors: columns of ``frames.csv``, (N,) each.
        protocol: the protocol as plain data: its thresholds make recalls of errors.
    """
    columns = [column for column in (*track.columns, *track.later) if column.frames in errors]
    values = with_f1({column.name: errors[column.frames] for column in columns})
    if track.name == "object":
        settings: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in protocol.items()
        }
        measured = ObjectErrors(**{name: errors[name] for name in OBJECT_COLUMNS})
        values |= frame_recalls(measured, ObjectProtocol(**settings))
    return values


def with_f1(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values of frames by name of the score, with those of F1 where there are contacts.

    F1 is no mean of frames: its values here depend on which frames there are, so that they are made anew.
    """
    found: dict[str, np.ndarray] = {}
    for name, of in values.items():
        if name == "Contact_F1":
            continue
        found[name] = of
        if name == "Contact_R":
            found["Contact_F1"] = f1_values(values["Contact_P"], of)
    return found


OBJECT_COLUMNS = tuple(ObjectErrors.__dataclass_fields__)
"""Columns of ``frames.csv`` that recalls follow from."""


def with_failed(column: Column, values: np.ndarray, failed: int) -> np.ndarray:
    """Values of frames with those of further frames that fail: no recall, or an error without end."""
    return np.append(values, np.full(failed, 0.0 if column.higher_is_better else math.inf))


def sequence_of(name: str) -> str:
    """The sequence of ``sequence/frame``."""
    return name.rpartition("/")[0]
