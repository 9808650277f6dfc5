"""What a submission says that is scored as it stands, but looks like a mistake: units, and no rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from rhobin.behave.ref import SequenceAnnotation
from rhobin.metrics.submission import Annotations, Example, Results

UNITS = {"centimetres": 100.0, "millimetres": 1000.0}
ALIKE = 3.0  # how far predicted distances may be off a unit's factor
_VERTS = {"trans": "smpl_verts", "obj_trans": "obj_verts"}
"""Keys that tell where a part is, and those that may stand in for them in the joint track."""
_PARTS = {"human": ("trans",), "object": ("obj_trans",), "joint": ("trans", "obj_trans")}


def oddities(
    examples: Sequence[Example], annotations: Annotations, results: Results, track: str
) -> tuple[str, ...]:
    """Notes on scored predictions that look like mistakes; the challenge's server says nothing of them.

    Args:
        examples: scored frames.
        annotations: ground truth by sequence name.
        results: predictions by sequence name, checked.
        track: human, object or joint: which keys are looked at.

    Returns:
        A sentence for each sequence and key.
    """
    notes: list[str] = []
    for sequence, group in groupby(examples, key=lambda e: e.sequence):
        rows, record = list(group), results[sequence]
        found = _units(rows, annotations[sequence], record, track)
        if track == "object" or (track == "joint" and "obj_verts" not in record):
            found += _odd_rotations(rows, record)
        if track == "human" or (track == "joint" and "smpl_verts" not in record):
            found += _degrees(rows, record)
        notes += [f"sequence {sequence}: {note}" for note in found]
    return tuple(notes)


def _units(
    rows: list[Example], truth: SequenceAnnotation, record: Mapping[str, Any], track: str
) -> list[str]:
    """Notes on places that are as far from the camera as the true ones in another unit."""
    notes = []
    for place in _PARTS[track]:
        verts = _VERTS[place]
        key = verts if track == "joint" and verts in record else place
        found = _distance(_predicted(record, key, rows))
        expected = _distance(getattr(truth, place)[[e.target for e in rows]])
        unit = next((u for u, f in UNITS.items() if f / ALIKE < found / max(expected, 0.1) < f * ALIKE), None)
        if unit:
            notes.append(
                f"key {key!r} looks like {unit}: {found:.4g} from the camera, the truth {expected:.3g} metres"
            )
    return notes


def _distance(places: np.ndarray) -> float:
    """Median distance from the camera of points (T, 3), or of the middle of vertices (T, V, 3)."""
    middles = places.mean(axis=1) if places.ndim == 3 else places
    return float(np.median(np.linalg.norm(middles, axis=1)))


def _degrees(rows: list[Example], record: Mapping[str, Any]) -> list[str]:
    turn = float(np.median(np.linalg.norm(_predicted(record, "poses", rows)[:, :3], axis=1)))
    told = f"key 'poses' looks like degrees: the body turns by {turn:.4g}, expected radians below 6.28"
    return [told] if turn > 2 * np.pi else []


def _odd_rotations(rows: list[Example], record: Mapping[str, Any]) -> list[str]:
    R = _predicted(record, "obj_rots", rows)
    off = np.abs(R @ R.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2)) > 1e-3
    off |= np.linalg.det(R) < 0
    count = int(off.sum())
    return [f"key 'obj_rots': {count} matrices are not rotations; they are used as given"] if count else []


def _predicted(record: Mapping[str, Any], key: str, rows: list[Example]) -> np.ndarray:
    return np.asarray(record[key], dtype=np.float64)[[e.pred for e in rows]]
