"""Weighted means of the members' bodies, made parameters of the body model again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.body.fit import BodyFitter
from rhobin.body.model import BodyModel, BodyOutput
from rhobin.ensemble.meshes import Bodies, Meshes, common_orientation, pose
from rhobin.ensemble.parts import part_shares
from rhobin.ensemble.people import People, chunks
from rhobin.ensemble.weights import Weights
from rhobin.geometry.rotation import project_to_so3, rotmat_to_rotvec

STEPS = 4  # Gauss-Newton steps of a refit


@dataclass(frozen=True)
class Stacked:
    """The ensemble's people in N views.

    Attributes:
        people: one body a view: the first axis of its arrays has length one.
        spread_mm: (N,) weighted root mean square distance of the members' vertices from their mean, in the
            common orientation.
        refit_mm: (N,) mean distance of the refitted body's vertices and joints from that mean.
    """

    people: People
    spread_mm: np.ndarray
    refit_mm: np.ndarray


def mean_bodies(meshes: Meshes, weights: Weights, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean bodies in the camera frame.

    Args:
        meshes: of F views.
        weights: of the members.
        shares: (V + J, 24) of the parts in each point.

    Returns:
        (F, V + J, 3) points, and the members' spread (F,), metres.
    """
    shape, turn, pelvis = (
        torch.from_numpy(np.ascontiguousarray(array)).to(shares.dtype)
        for array in (weights.shape, weights.turn, weights.pelvis)
    )
    at_point = shares @ shape
    mean = torch.einsum("nm,fmnc->fnc", at_point, meshes.points)
    away = (meshes.points - mean[:, None]).square().sum(-1)
    spread = torch.einsum("nm,fmn->fn", at_point, away).mean(-1).sqrt()
    facing = project_to_so3(torch.einsum("m,fmij->fij", turn, meshes.turn))
    where = torch.einsum("m,fmc->fc", pelvis, meshes.pelvis)
    return mean @ facing.mT + where[:, None], spread


@torch.no_grad()
def stack(
    people: People,
    bodies: Bodies,
    weights: Callable[[int], Weights],
    group: np.ndarray,
    watch: Callable[[BodyModel, np.ndarray, BodyOutput], Any] = lambda *_: None,
) -> Stacked:
    """Stack the members' people view by view.

    Args:
        people: what M members predict.
        bodies: single precision body models by gender.
        weights: of the members, for a group of views.
        group: (N,) group of each view.
        watch: called with body model, rows and the members' posed bodies of each chunk.
    """
    count = len(people)
    found = {key: np.zeros((1, count, width)) for key, width in (("poses", 156), ("betas", 10), ("trans", 3))}
    spread, refit = np.zeros(count), np.zeros(count)
    fitters = {gender: BodyFitter(body) for gender, body in bodies.items()}
    shares = {gender: part_shares(body) for gender, body in bodies.items()}
    labels = np.stack((people.gender, group.astype(str)), axis=1)
    for (gender, number), rows in chunks(labels):
        body = bodies[gender]
        posed = pose(body, people, rows)
        watch(body, rows, posed)
        points, away = mean_bodies(common_orientation(posed)[0], weights(int(number)), shares[gender])
        verts, joints = points.split((body.n_verts, body.n_joints), dim=1)
        fit = fitters[gender].verts(verts, joints=joints, steps=STEPS)
        found["poses"][0, rows] = rotmat_to_rotvec(fit.theta.double()).flatten(1).numpy()
        found["betas"][0, rows], found["trans"][0, rows] = fit.beta.numpy(), fit.trans.numpy()
        spread[rows], refit[rows] = 1e3 * away.numpy(), 1e3 * fit.error.numpy()
    return Stacked(People(people.sequence, people.frame, people.gender, **found), spread, refit)
