"""Constant turns of body parts, each in the part's own rest axes, while its children keep theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import SMPL_BODY_NAMES, SMPLH_PARENTS
from rhobin.body.model import BodyModel
from rhobin.ensemble.meshes import Bodies
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat, unit
from rhobin.metrics.human import ANGLE_JOINTS

PELVIS = 0
CHILDREN = {part: [c for c, parent in enumerate(SMPLH_PARENTS) if parent == part] for part in ANGLE_JOINTS}
"""Children of the parts whose angles are scored. Each has one, the end of its bone; the pelvis has three."""


@dataclass(frozen=True)
class Turn:
    """A rotation of a part in its own rest axes.

    Attributes:
        angle: radians; of a twist signed.
        axis: (3,) of length one; None for the bone from the part to its only child, of each body its own.
    """

    angle: float
    axis: np.ndarray | None = None

    def told(self) -> dict[str, Any]:
        """For `ensemble.json`, the angle in degrees."""
        return {
            "angle_deg": float(np.rad2deg(self.angle)),
            "axis": None if self.axis is None else self.axis.tolist(),
        }


Turns = Mapping[int, Turn]


def bones_of(rest: Float[Tensor, "*B J 3"]) -> Float[Tensor, "*B 9 3"]:
    """Directions at rest from each scored part to its first child, length one."""
    ends = [CHILDREN[part][0] for part in ANGLE_JOINTS]
    return unit(rest[..., ends, :] - rest[..., list(ANGLE_JOINTS), :])


def turn_parts(
    theta: Float[Tensor, "*B J 3 3"], rest: Float[Tensor, "*B R 3"], turns: Turns
) -> Float[Tensor, "*B J 3 3"]:
    """Turn parts, and their children back: ``G_k' = G_k D_k``, every other global rotation as before.

    A turn about the part's bone moves no joint; one of the pelvis moves all that hang on it.

    Args:
        theta: local rotations of the 22 body joints or more.
        rest: rest joints of each body's shape, metres.
        turns: of some of the scored parts, by joint.
    """
    theta, bones = theta.clone(), bones_of(rest)
    for part, turn in turns.items():
        own = turn.axis is None
        axis = bones[..., ANGLE_JOINTS.index(part), :] if own else theta.new_tensor(turn.axis)
        by = rotvec_to_rotmat(turn.angle * axis)
        theta[..., part, :, :] = theta[..., part, :, :] @ by
        for child in CHILDREN[part]:
            theta[..., child, :, :] = by.mT @ theta[..., child, :, :]
    return theta


def turn_results(results: Mapping[str, Any], bodies: Bodies, turns: Turns) -> dict[str, dict[str, Any]]:
    """Results with turned parts; the joints that do not turn keep their numbers to the bit.

    Args:
        results: people by sequence name, in the challenge's layout (72 or 156 numbers of a pose).
        bodies: double precision body models by gender.
        turns: of some of the scored parts, by joint.

    Returns:
        The same with new ``poses``, whose rotation vectors are no longer than pi.
    """
    changed = sorted({joint for part in turns for joint in (part, *CHILDREN[part])})
    return {
        name: _turned(record, bodies[record["gender"]], turns, changed) for name, record in results.items()
    }


def _turned(record: Mapping[str, Any], body: BodyModel, turns: Turns, changed: list[int]) -> dict[str, Any]:
    poses = np.array(record["poses"], dtype=np.float64)
    vectors = poses.reshape(len(poses), -1, 3)
    rest = body.rest_joints(torch.from_numpy(np.asarray(record["betas"], dtype=np.float64)))
    theta = rotvec_to_rotmat(torch.from_numpy(vectors[:, : len(SMPL_BODY_NAMES)]))
    vectors[:, changed] = rotmat_to_rotvec(turn_parts(theta, rest, turns)[:, changed]).numpy()
    return {**record, "poses": poses}


def kept_turns(parts: Mapping[str, Mapping[str, Any]]) -> dict[int, Turn]:
    """The turns that an ensemble keeps, of what its document tells of each part by name."""
    return {SMPL_BODY_NAMES.index(name): _turn(told) for name, told in parts.items() if told["kept"]}


def _turn(told: Mapping[str, Any]) -> Turn:
    axis = told["axis"]
    return Turn(float(np.deg2rad(told["angle_deg"])), None if axis is None else np.array(axis))
