"""One shape for all views of a subject: a different claim than a prediction from one image, so told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from rhobin.behave.layout import parse_sequence
from rhobin.ensemble.meshes import Bodies
from rhobin.ensemble.people import People


def with_shared_betas(
    results: Mapping[str, Any], bodies: Bodies, people: People, spread_mm: np.ndarray | None
) -> dict[str, dict[str, Any]]:
    """Results in which each subject has one shape: the mean over its views, those of little spread first.

    Poses and the place of the pelvis stay; translations change, since SMPL counts them from the rest pelvis.

    Args:
        results: predictions by sequence name.
        bodies: body models by gender.
        people: the views, sorted as `spread_mm`.
        spread_mm: (N,) how far members differ, whose inverse square weighs a view; None for equal weights.
    """
    spread = np.ones(len(people)) if spread_mm is None else spread_mm
    names = zip(people.sequence.tolist(), people.frame.tolist(), strict=True)
    weight = dict(zip(names, 1 / np.maximum(spread, 1e-3) ** 2, strict=True))
    sums: dict[tuple[int, str], list[Any]] = {}
    for sequence, record in results.items():
        w = np.array([weight[sequence, frame] for frame in record["frames"]])
        total = sums.setdefault(_who(sequence, record), [np.zeros(10), 0.0])
        total[0] += w @ record["betas"]
        total[1] += w.sum()
    shapes = {who: betas / total for who, (betas, total) in sums.items()}
    return {
        sequence: _reshaped(record, shapes[_who(sequence, record)], bodies)
        for sequence, record in results.items()
    }


def _who(sequence: str, record: Mapping[str, Any]) -> tuple[int, str]:
    return parse_sequence(sequence).subject, record["gender"]


def _reshaped(record: Mapping[str, Any], beta: np.ndarray, bodies: Bodies) -> dict[str, Any]:
    body = bodies[record["gender"]]
    betas = np.tile(beta, (len(record["betas"]), 1))
    before, after = (
        body.rest_joints(torch.from_numpy(array).to(body.template.dtype))[:, 0].double().numpy()
        for array in (record["betas"], betas)
    )
    return {**record, "betas": betas, "trans": record["trans"] + before - after}
