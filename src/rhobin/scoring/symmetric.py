"""Symmetric objects beside asymmetric ones of equal size, equally visible."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.behave.ref import RefTemplate
from rhobin.metrics.object import rotation_errors
from rhobin.metrics.object_track import ObjectScore, frame_recalls
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.symmetry import Rotations, stack_symmetries
from rhobin.scoring.breakdown import of_rows, visible_bin
from rhobin.scoring.track import finite

SYMMETRIC, ASYMMETRIC, BALL = "symmetric", "asymmetric", "ball"
SIZES_MM = (0, 450, 600, 800, np.inf)
RESAMPLES = 1000

Members = dict[tuple[str, str], np.ndarray]


def splits(score: ScoredFrames, templates: Mapping[str, RefTemplate]) -> dict[str, Any]:
    """``by_symmetry`` of a score of the object track; nothing for other tracks, or without errors."""
    if isinstance(score, ObjectScore) and score.errors is not None:
        return {"by_symmetry": symmetry_split(score, templates)}
    return {}


def symmetry_split(score: ObjectScore, templates: Mapping[str, RefTemplate]) -> dict[str, Any]:
    """Scores of symmetric and of asymmetric objects in cells of size and visible fraction.

    Args:
        score: with errors.
        templates: by object name, with the symmetries that the score was computed under.

    Returns:
        ``cells`` with frames of both kinds; ``matched``, what both score over these cells with equal weights,
        their difference and its deviation, None without a common cell; ``balls``, None without any.
    """
    kinds = {name: symmetry_kind(templates[name]) for name in {e.object_name for e in score.examples}}
    of_frame = np.array([kinds[e.object_name] for e in score.examples])
    common = _common_cells(score, of_frame)
    cells = [
        {"size": size, "visible": visible}
        | {kind: of_rows(score, rows[of_frame[rows] == kind]) for kind in (SYMMETRIC, ASYMMETRIC)}
        for (size, visible), rows in common.items()
    ]
    return {
        "objects": {
            kind: sorted(name for name, of in kinds.items() if of == kind)
            for kind in (SYMMETRIC, ASYMMETRIC, BALL)
        },
        "cells": cells,
        "matched": _matched(score, of_frame, common) if common else None,
        "balls": _balls(score, of_frame == BALL, templates),
    }


def symmetry_kind(template: RefTemplate) -> str:
    """Whether a template is symmetric, asymmetric, or a ball.

    A ball lists at least the 60 rotations of an icosahedron and keeps no direction apart. The mean of the
    squared traces of a group counts the quadratic forms that it keeps: one for a ball, two about an axis.
    """
    rotations, _ = stack_symmetries(template.symmetries, with_identity=True)
    if len(rotations) == 1:
        return ASYMMETRIC
    kept = float(np.mean(np.trace(rotations, axis1=1, axis2=2) ** 2))
    return BALL if len(rotations) >= 60 and kept < 1.5 else SYMMETRIC


def left_over_deg(rotations: Rotations, draws: int = 4000) -> float:
    """Mean angle in degrees of random rotations to the nearest of a list (S, 3, 3)."""
    random = Rotation.random(draws, rng=np.random.default_rng(0)).as_matrix()
    return float(rotation_errors(random, np.broadcast_to(rotations, (draws, *rotations.shape))).mean())


def size_bin(diameter_mm: float) -> str:
    """The diameter as a range: `SIZES_MM`."""
    low, high = next((low, high) for low, high in pairwise(SIZES_MM) if diameter_mm < high)
    return f"{low}-{high} mm" if np.isfinite(high) else f"over {low} mm"


def _common_cells(score: ObjectScore, of_frame: np.ndarray) -> Members:
    found: dict[tuple[str, str], list[int]] = {}
    for row, example in enumerate(score.examples):
        if of_frame[row] != BALL:
            size = size_bin(float(score.errors.diameter_mm[row]))
            found.setdefault((size, visible_bin(example.visible)), []).append(row)
    order = [size_bin(low) for low in SIZES_MM[:-1]]
    both = {cell: rows for cell, rows in found.items() if len(set(of_frame[rows])) == 2}
    return {
        cell: np.array(both[cell]) for cell in sorted(both, key=lambda cell: (order.index(cell[0]), cell))
    }


def _matched(score: ObjectScore, of_frame: np.ndarray, cells: Members) -> dict[str, Any]:
    """Recalls of both kinds, each cell with the weight that makes their difference least uncertain."""
    recalls = frame_recalls(score.errors, score.protocol)
    values, rows = np.stack(list(recalls.values()), axis=1), np.concatenate(list(cells.values()))
    cell = np.repeat(np.arange(len(cells)), [len(part) for part in cells.values()])
    _, sequence = np.unique([score.examples[row].sequence for row in rows], return_inverse=True)
    kind = (of_frame[rows] == ASYMMETRIC).astype(int)
    sums = np.zeros((sequence.max() + 1, len(cells), 2, values.shape[1] + 1))
    np.add.at(sums, (sequence, cell, kind), np.column_stack([values[rows], np.ones(len(rows))]))
    whole = _weighted(sums.sum(axis=0))
    draws = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=RESAMPLES)
    again = np.array([_weighted(np.tensordot(draw, sums, axes=1)) for draw in draws])
    spread = np.nanstd(again[:, 0] - again[:, 1], axis=0)
    names = list(recalls)
    return {
        "frames": {SYMMETRIC: int((kind == 0).sum()), ASYMMETRIC: int((kind == 1).sum())},
        SYMMETRIC: dict(zip(names, whole[0].tolist(), strict=True)),
        ASYMMETRIC: dict(zip(names, whole[1].tolist(), strict=True)),
        "difference": dict(zip(names, (whole[0] - whole[1]).tolist(), strict=True)),
        "deviation": finite(dict(zip(names, spread.tolist(), strict=True))),
    }


def _weighted(sums: Float[np.ndarray, "C 2 M"]) -> Float[np.ndarray, "2 m"]:
    """Mean recalls (2, M - 1) over cells; the last of the sums counts frames. NaN without a common cell."""
    counts = sums[..., -1]
    weight = counts[:, 0] * counts[:, 1] / np.maximum(counts.sum(axis=1), 1)
    means = sums[..., :-1] / np.maximum(counts, 1)[..., None]
    with np.errstate(invalid="ignore"):
        return np.einsum("c,ckm->km", weight, means) / weight.sum()


def _balls(
    score: ObjectScore, is_ball: np.ndarray, templates: Mapping[str, RefTemplate]
) -> dict[str, Any] | None:
    rows = np.flatnonzero(is_ball)
    if not len(rows):
        return None
    rotations, _ = stack_symmetries(templates[score.examples[rows[0]].object_name].symmetries)
    return {**of_rows(score, rows), "left_over_deg": round(left_over_deg(rotations), 1)}
