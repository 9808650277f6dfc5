"""Products of the members' errors, summed over views chunk by chunk: all that weights are fitted from.

Since weights sum to one, the error of a mean is the mean of the errors, ``sum w_m (x_m - x)``, and its square
is ``w' G w`` with ``G_mn`` the sum of ``(x_m - x) (x_n - x)``. So M x M numbers a fold and part are enough,
however many views there are, and no vertices are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from rhobin.ensemble.meshes import Bodies, common_orientation, pose, turned
from rhobin.ensemble.parts import part_shares
from rhobin.ensemble.people import People, chunks


@dataclass(frozen=True)
class Grams:
    """Products of errors of M members, float64.

    Attributes:
        shape: (K, 24, M, M) of vertices in the common orientation, by fold and part, square metres.
        turn: (K, M, M) of orientations, as rotation matrices.
        pelvis: (K, M, M) of the pelvis, square metres.
    """

    shape: np.ndarray
    turn: np.ndarray
    pelvis: np.ndarray

    def of(self, folds: np.ndarray) -> Grams:
        """Those of some folds."""
        return Grams(*(getattr(self, field.name)[folds] for field in fields(self)))


@torch.no_grad()
def collect(people: People, truth: People, bodies: Bodies, fold: np.ndarray) -> Grams:
    """Sum the products of errors over all views.

    Args:
        people: what the members predict.
        truth: the true people of the same views.
        bodies: single precision body models by gender.
        fold: (N,) fold of each view, from 0.
    """
    members, folds = len(people.poses), int(fold.max()) + 1
    shares = {gender: part_shares(body)[: body.n_verts] for gender, body in bodies.items()}
    parts = next(iter(shares.values())).shape[1]
    shape = np.zeros((folds, parts, members, members))
    turn, pelvis = np.zeros((folds, members, members)), np.zeros((folds, members, members))
    labels = np.stack((people.gender, fold.astype(str)), axis=1)
    for (gender, number), rows in chunks(labels):
        body, at = bodies[gender], int(number)
        ours, mean = common_orientation(pose(body, people, rows))
        theirs = turned(pose(body, truth, rows), mean)
        shape[at] += _by_part(ours.points - theirs.points, shares[gender])
        turn[at] += _products((ours.turn - theirs.turn).flatten(2))
        pelvis[at] += _products(ours.pelvis - theirs.pelvis)
    return Grams(shape, turn, pelvis)


def _by_part(errors: Tensor, shares: Tensor) -> np.ndarray:
    """(24, M, M) products of vertex errors (F, M, V + J, 3), each vertex shared among the parts."""
    verts, members = len(shares), errors.shape[1]
    rows = errors[:, :, :verts].permute(2, 1, 0, 3).reshape(verts, members, -1)
    products = torch.bmm(rows, rows.mT).view(verts, -1)
    return (shares.T @ products).view(-1, members, members).double().numpy()


def _products(errors: Tensor) -> np.ndarray:
    """(M, M) products of errors (F, M, D)."""
    errors = errors.double()
    return torch.einsum("fmd,fnd->mn", errors, errors).numpy()
