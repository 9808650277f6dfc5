"""Members' bodies about the pelvis, turned to one orientation before they are averaged.

Meshes that face different ways shrink when they are averaged. So a body is told in three parts: where its
pelvis is, how it is turned from the members' mean, and what shape it has once that turn is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rhobin.body.chosen import body_folder, body_hash, body_name
from rhobin.body.load import load_body
from rhobin.body.model import BodyModel, BodyOutput
from rhobin.ensemble.members import EnsembleError
from rhobin.ensemble.people import People
from rhobin.geometry.rotation import project_to_so3, rotvec_to_rotmat

Bodies = Mapping[str, BodyModel]


@dataclass(frozen=True)
class Meshes:
    """Bodies of F views as M members see them, metres.

    Attributes:
        points: (F, M, V + J, 3) vertices, then joints, from the pelvis, in the common orientation.
        turn: (F, M, 3, 3) rotation from the common orientation to the member's own.
        pelvis: (F, M, 3) in the camera frame.
    """

    points: Tensor
    turn: Tensor
    pelvis: Tensor


def bodies_of(
    people: People, asked: str | Path | None, expected: str, dtype: torch.dtype = torch.float32
) -> dict[str, BodyModel]:
    """Body models of the genders that occur.

    Args:
        people: whose genders to load.
        asked: folder of SMPL-H files; None or "standin" for the stand-in.
        expected: hash of the body models that the predictions are of.
        dtype: of the models.

    Raises:
        EnsembleError: these are others.
        FileNotFoundError: there is no file for a gender.
    """
    folder = body_folder(asked)
    found = {gender: load_body(str(gender), folder, dtype) for gender in np.unique(people.gender)}
    if body_hash(folder) != expected:
        raise EnsembleError(
            f"the predictions are of the body models {expected}, and --body {asked or '(not given)'} holds "
            f"{body_name(found.values())!r}, {body_hash(folder)} (hashes of the files); give the folder of "
            "the body models that the runs were evaluated with"
        )
    return found


def pose(body: BodyModel, people: People, rows: np.ndarray) -> BodyOutput:
    """Vertices, joints and global rotations of some views' people, (F, M, ...) each, in the camera frame."""
    return body(*parameters(body, people, rows))


def parameters(body: BodyModel, people: People, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Local rotations, shapes and translations of some views' people, (F, M, ...), in `body`'s precision."""
    poses, betas, trans = (
        torch.from_numpy(array[:, rows]).transpose(0, 1).to(body.template.dtype)
        for array in (people.poses, people.betas, people.trans)
    )
    return rotvec_to_rotmat(poses.unflatten(-1, (-1, 3))), betas, trans


def about_pelvis(posed: BodyOutput) -> Tensor:
    """(F, M, V + J, 3) vertices and joints from the pelvis."""
    assert posed.verts is not None  # noqa: S101
    return torch.cat((posed.verts, posed.joints), dim=-2) - posed.joints[..., :1, :]


def turned(posed: BodyOutput, reference: Tensor) -> Meshes:
    """Posed bodies turned about the pelvis onto a reference.

    Args:
        posed: (F, M, ...) bodies.
        reference: (F, V + J, 3) points about the pelvis that say what the common orientation is.
    """
    points = about_pelvis(posed)
    covariance = torch.einsum("fni,fmnj->fmij", reference, points)
    size = torch.linalg.matrix_norm(covariance, keepdim=True).clamp_min(torch.finfo(covariance.dtype).tiny)
    turn = project_to_so3(covariance / size).mT
    return Meshes(points @ turn, turn, posed.joints[..., 0, :])


def common_orientation(posed: BodyOutput) -> tuple[Meshes, Tensor]:
    """Members' bodies turned onto their plain mean, and that mean (F, V + J, 3)."""
    mean = about_pelvis(posed).mean(1)
    return turned(posed, mean), mean
