"""What is told in the frame of a crop's camera, told in that of the camera that took the view."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.geometry.precision import full_precision
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction


def turn_back(
    prediction: Prediction, turn: Float[Tensor, "B 3 3"], gender: Int[Tensor, " B"], bodies: BodySet
) -> Prediction:
    """A prediction in the frame of the camera that took the view; where none turned, the same to the bit.

    Args:
        prediction: in the frame of the crops' camera, metres.
        turn: (B, 3, 3) X_crop = turn X_view, see `Sample`.
        gender: (B,) index into `GENDERS`.
        bodies: body models, on the prediction's device: SMPL turns about the rest pelvis.
    """
    if bool((turn == torch.eye(3).to(turn)).all()):
        return prediction
    human, obj = prediction.human, prediction.object
    return replace(
        prediction,
        human=None if human is None else _person(human, turn, gender, bodies),
        object=None if obj is None else _object(obj, turn),
    )


@full_precision
def turn_pose_back(R: Tensor, t: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Rotations (B, 3, 3) and translations (B, 3) of objects in the frame of the view's camera."""
    back = turn.to(R).mT
    return back @ R, _points(t[:, None], back)[:, 0]


@full_precision
def _person(human: HumanPrediction, turn: Tensor, gender: Tensor, bodies: BodySet) -> HumanPrediction:
    back = turn.to(human.trans).mT
    pelvis = bodies.rest_joints(human.beta, gender)[:, 0]
    theta = human.theta.clone()
    theta[:, 0], trans = change_camera(theta[:, 0], human.trans, pelvis, back, human.trans.new_zeros(3))
    joints = None if human.joints is None else _points(human.joints, back)
    return replace(human, theta=theta, trans=trans, joints=joints)


@full_precision
def _object(obj: ObjectPrediction, turn: Tensor) -> ObjectPrediction:
    R, t = turn_pose_back(obj.R, obj.t, turn)
    return replace(obj, R=R, t=t, kpts=None if obj.kpts is None else _points(obj.kpts, turn.to(obj.t).mT))


def _points(points: Tensor, R: Tensor) -> Tensor:
    """Points (B, N, 3) rotated by (B, 3, 3)."""
    return points @ R.mT
