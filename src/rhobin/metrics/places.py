"""Where predicted people and objects are in the camera's frame, and how their motion differs from the truth.

Source: accelerations as the tracking challenge of 2024 takes them (``evaluate_tracking.py``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float

from rhobin.behave.ref import SequenceAnnotation
from rhobin.metrics.submission import Annotations, Example, Results

TIME = re.compile(r"t(\d+(?:\.\d+)?)")
"""A frame's name where it is a time in seconds, as BEHAVE's ``t0003.000``."""

SAME_STEP_S = 2e-3
"""Steps of time that differ by no more are equal: names are rounded to milliseconds."""


@dataclass(frozen=True)
class Places:
    """Errors of translations of N frames; NaN where a prediction has vertices in place of parameters.

    Attributes:
        human_mm: (N,) distance of predicted and true ``trans``.
        object_mm: (N,) distance of predicted and true ``obj_trans``.
        human_acceleration_mm: (N,) difference of the second differences of ``trans``, mm a frame squared;
            NaN where the frames before and after are not scored or not one step of time away.
        object_acceleration_mm: (N,) the same of ``obj_trans``.
    """

    human_mm: Float[np.ndarray, " N"]
    object_mm: Float[np.ndarray, " N"]
    human_acceleration_mm: Float[np.ndarray, " N"]
    object_acceleration_mm: Float[np.ndarray, " N"]


def place_errors(examples: Sequence[Example], annotations: Annotations, results: Results) -> Places:
    """Errors of translations of scored frames, in order.

    Args:
        examples: scored frames, those of a sequence together and in the order of the ground truth.
        annotations: ground truth by sequence name.
        results: predictions by sequence name, as checked.
    """
    parts = []
    for sequence, group in groupby(examples, key=lambda e: e.sequence):
        rows = list(group)
        moved = _translations(rows, annotations[sequence], results[sequence])
        middle = evenly_spaced([e.target for e in rows], [e.frame for e in rows])
        distances = [_lengths(pred - true) for pred, true in moved]
        parts.append([*distances, *(acceleration_errors(pred, true, middle) for pred, true in moved)])
    return Places(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def acceleration_errors(
    pred: Float[np.ndarray, "T 3"], true: Float[np.ndarray, "T 3"], middle: Sequence[int]
) -> Float[np.ndarray, " T"]:
    """Differences of second differences, mm a frame squared; NaN of rows that are not `middle` ones.

    Args:
        pred: (T, 3) predicted places, metres.
        true: (T, 3) true places, metres.
        middle: rows whose neighbours are the frames before and after.
    """
    errors, rows = np.full(len(pred), np.nan), np.asarray(middle, dtype=np.int64)
    off = pred - true
    errors[rows] = _lengths(off[rows - 1] - 2 * off[rows] + off[rows + 1])
    return errors


def evenly_spaced(targets: Sequence[int], frames: Sequence[str]) -> list[int]:
    """Rows whose neighbours are the true frames next to them, at equal steps of time.

    Args:
        targets: row of each frame in the ground truth.
        frames: their names; without times in them, as in the editions by image, there are no such rows.
    """
    told = [TIME.fullmatch(name) for name in frames]
    if not all(told):
        return []
    times = [float(match[1]) for match in told if match]
    return [
        k
        for k in range(1, len(times) - 1)
        if targets[k] - targets[k - 1] == targets[k + 1] - targets[k] == 1
        and abs(times[k + 1] - 2 * times[k] + times[k - 1]) <= SAME_STEP_S
    ]


def _translations(
    rows: Sequence[Example], truth: SequenceAnnotation, record: Mapping[str, Any]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Predicted and true places (T, 3) of body and object, metres; predicted ones NaN for vertices."""
    target, pred = [e.target for e in rows], [e.pred for e in rows]

    def given(key: str, verts: str) -> np.ndarray:
        if verts in record:
            return np.full((len(rows), 3), np.nan)
        return np.asarray(record[key], dtype=np.float64)[pred]

    obj = given("obj_trans", "obj_verts")
    if "obj_scales" in record:
        obj = obj * np.asarray(record["obj_scales"], dtype=np.float64)[pred, None]
    human = given("trans", "smpl_verts"), np.asarray(truth.trans)[target]
    return human, (obj, np.asarray(truth.obj_trans)[target])


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Millimetres, of vectors in metres."""
    return 1000.0 * np.linalg.norm(vectors, axis=-1)
