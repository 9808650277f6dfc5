"""Predictions as vertices, which the joint track takes in place of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rhobin.metrics.posing import body_of, expand_pose, placed, skinned
from rhobin.metrics.submission import SubmissionError, object_of
from rhobin.scoring.challenge import Challenge

VERTICES = ("smpl_verts", "obj_verts")


def as_vertices(
    results: Mapping[str, Any], track: str, edition: str, challenge: Challenge | None
) -> dict[str, dict[str, Any]]:
    """Each sequence's `frames`, `smpl_verts` (T, 6890, 3) and `obj_verts` (T, N, 3), metres, camera frame.

    Bodies have the ground truth's gender, as the evaluator poses parameters; the scale of an object is in its
    vertices.

    Args:
        results: parameters by sequence name, as `track_results` gives them for the joint track.
        track: to submit to.
        edition: of the submission.
        challenge: ground truth by sequence, with body models and templates.

    Raises:
        SubmissionError: it is not the joint track of 2023, or the ground truth lacks a sequence, a body model
            or a template.
    """
    if challenge is None:
        raise SubmissionError("vertices need the ground truth's genders and templates; give --ref FOLDER")
    if (track, edition, challenge.edition) != ("joint", "2023", "2023"):
        raise SubmissionError(
            f"vertices are for the joint track of 2023; found the {track} track, edition {edition}, and "
            f"ground truth of {challenge.edition}. Leave --vertices out"
        )
    return {name: _sequence(name, record, challenge) for name, record in results.items()}


def _sequence(name: str, record: Mapping[str, Any], challenge: Challenge) -> dict[str, Any]:
    if name not in challenge.annotations:
        raise SubmissionError(f"sequence {name} is not in the ground truth, which says its gender")
    template = challenge.templates.get(object_of(name))
    if template is None:
        raise SubmissionError(f"sequence {name}: the ground truth has no template {object_of(name)!r}")
    body = body_of(challenge.bodies, challenge.annotations[name].gender, name)
    poses, *parameters = (np.asarray(record[key], np.float64) for key in ("poses", "betas", "trans"))
    R, t = (np.asarray(record[key], np.float64) for key in ("obj_rots", "obj_trans"))
    scales = np.asarray(record.get("obj_scales", np.ones(len(t))), np.float64)
    people = skinned(body, expand_pose(poses), *parameters)
    objects = placed(template.verts, R, t) * scales[:, None, None]
    verts = dict(zip(VERTICES, (people.astype(np.float32), objects.astype(np.float32)), strict=True))
    return {"frames": record["frames"], **verts}
