"""Predicted and true people side by side, without vertices: what constant turns are judged on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from rhobin.body.joints import JOINTS24
from rhobin.body.model import BodyModel
from rhobin.body.skinning import KinematicTree
from rhobin.ensemble.meshes import Bodies, parameters
from rhobin.ensemble.people import People
from rhobin.ensemble.turns import Turns, turn_parts
from rhobin.metrics.human import ANGLE_JOINTS, HumanErrors, human_errors

_JOINTS, _SCORED = list(JOINTS24), list(ANGLE_JOINTS)


@dataclass(frozen=True)
class Pairs:
    """Predicted and true people of N views, double precision.

    Attributes:
        theta: (N, 52, 3, 3) predicted local rotations.
        rest: (N, 52, 3) rest joints of the predicted shape, metres.
        off: (N, 9, 3, 3) rotation of each scored part, in its own axes, from the predicted to the true one.
        joints: (N, 24, 3) true joints, metres.
        rotations: (N, 24, 3, 3) true global rotations.
        tree: of the body.
        sequence: (N,) names.
        fold: (N,) of whole sequences.
    """

    theta: Tensor
    rest: Tensor
    off: Tensor
    joints: Tensor
    rotations: Tensor
    tree: KinematicTree
    sequence: np.ndarray
    fold: np.ndarray

    def rows(self, folds: Iterable[int]) -> np.ndarray:
        """Views of some folds, fold after fold."""
        return np.concatenate([np.flatnonzero(self.fold == k) for k in folds])

    def errors(self, rows: np.ndarray, turns: Turns) -> HumanErrors:
        """Errors of some views' people after turning parts of them."""
        rest = self.rest[rows]
        rotations, joints = self.tree(turn_parts(self.theta[rows], rest, turns), rest)
        return human_errors(
            joints[:, _JOINTS], rotations[:, _JOINTS], self.joints[rows], self.rotations[rows]
        )

    def errors_by_fold(self, folds: Iterable[int], turns: Iterable[Turns]) -> HumanErrors:
        """Errors of the views `rows(folds)`, each fold with turns of its own."""
        found = [self.errors(self.rows([k]), own) for k, own in zip(folds, turns, strict=True)]
        names = [field.name for field in fields(HumanErrors)]
        return HumanErrors(*(np.concatenate([getattr(e, name) for e in found]) for name in names))


def pairs_of(people: People, truth: People, bodies: Bodies, fold: np.ndarray) -> Pairs:
    """Pose people by the body of their gender.

    Args:
        people: one body a view, predicted.
        truth: the true people.
        bodies: double precision body models by gender.
        fold: (N,) fold of each view.
    """
    rows = [np.flatnonzero(people.gender == gender) for gender in bodies]
    back = np.argsort(np.concatenate(rows))
    found = [_posed(body, people, truth, at) for body, at in zip(bodies.values(), rows, strict=True)]
    theta, rest, off, joints, rotations = (torch.cat(array)[back] for array in zip(*found, strict=True))
    tree = next(iter(bodies.values())).tree
    return Pairs(theta, rest, off, joints, rotations, tree, people.sequence, fold)


def _posed(body: BodyModel, people: People, truth: People, rows: np.ndarray) -> tuple[Tensor, ...]:
    ours, theirs = ([array[:, 0] for array in parameters(body, of, rows)] for of in (people, truth))
    pred, true = body.kinematics(*ours), body.kinematics(*theirs)
    off = pred.rotations[:, _SCORED].mT @ true.rotations[:, _SCORED]
    theta, beta, _ = ours
    return theta, body.rest_joints(beta), off, true.joints[:, _JOINTS], true.rotations[:, _JOINTS]
