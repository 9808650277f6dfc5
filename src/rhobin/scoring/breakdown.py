"""Scores of parts of a test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.submission import Example
from rhobin.scoring.by_image import dataset_of
from rhobin.scoring.sequence_means import intervals
from rhobin.scoring.track import finite

VISIBLE_EDGES = (0, 30, 40, 60, 80, 100)
LAST = len(VISIBLE_EDGES) - 1
ENOUGH = 12  # assumed (docs/decisions/0173): sequences; intervals of fewer were not tried


def breakdown(score: ScoredFrames, key: str) -> dict[str, dict[str, Any]]:
    """Scores, their intervals and number of frames of each part, sorted by name.

    Args:
        score: a track's score.
        key: what parts share: ``object_name``, ``sequence``, ``dataset`` or ``visible`` (in bins).
    """
    return {name: of_rows(score, rows) for name, rows in members(score, key).items()}


def of_rows(score: ScoredFrames, rows: Sequence[int] | np.ndarray) -> dict[str, Any]:
    """Scores and number of some of the scored frames; intervals where these are of `ENOUGH` sequences."""
    chosen = np.array(rows)
    found = {**finite(score.metrics(chosen)), "frames": len(rows)}
    enough = len({score.examples[row].sequence for row in rows}) >= ENOUGH
    return {**found, "intervals": intervals(score, chosen)} if enough else found


def members(score: ScoredFrames, key: str) -> dict[str, list[int]]:
    """Rows of the scored frames of each part, sorted by its name; `key` as of `breakdown`."""
    found: dict[str, list[int]] = {}
    for row, example in enumerate(score.examples):
        found.setdefault(_value(example, key), []).append(row)
    return dict(sorted(found.items()))


def visible_bin(visible: float) -> str:
    """The visible fraction as a range of percentages: `VISIBLE_EDGES`."""
    upper = next(i for i in range(1, len(VISIBLE_EDGES)) if visible < VISIBLE_EDGES[i] / 100 or i == LAST)
    return f"{VISIBLE_EDGES[upper - 1]}-{VISIBLE_EDGES[upper]} %"


def _value(example: Example, key: str) -> str:
    if key == "visible":
        return visible_bin(example.visible)
    return dataset_of(example.sequence) if key == "dataset" else str(getattr(example, key))
