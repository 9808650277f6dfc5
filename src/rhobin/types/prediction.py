"""Predictions, in parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class HumanPrediction:
    """Predicted people: metres, frame of one camera, see `Prediction`.

    Attributes:
        theta: (B, 52, 3, 3) local SMPL-H rotations.
        beta: (B, 10) shape coefficients.
        trans: (B, 3) SMPL translation.
        joints: (B, 29, 3) HybrIK joints as predicted, before inverse kinematics; None where there are none.
    """

    theta: Tensor
    beta: Tensor
    trans: Tensor
    joints: Tensor | None = None


@dataclass
class ObjectPrediction:
    """Predicted objects: metres, frame of one camera, see `Prediction`.

    Attributes:
        R: (B, 3, 3) rotation, template to camera.
        t: (B, 3) translation.
        scale: (B,) size of the object against its template; None for metric templates.
        kpts: (B, 8, 3) keypoints as predicted, before the rigid fit; None where there are none.
    """

    R: Tensor
    t: Tensor
    scale: Tensor | None = None
    kpts: Tensor | None = None


@dataclass
class Prediction:
    """What every method, baseline and result file becomes.

    A method predicts in the frame of the crops' camera; `rhobin.engine.turn_back` turns that to the camera
    that took the view, which results are told in.

    Attributes:
        human: the people; None from a method that predicts only objects.
        object: the objects; None from a method that predicts only people.
        extras: whatever else the method says of each view, (B, ...) by name: stored beside the results, and
            the same in any camera's frame. ``confidence`` (B,) in [0, 1] is how sure it is of the object's
            pose; higher is surer. ``joints_sigma_mm`` (B, 29) is how far it thinks that each joint is off,
            ``kpts_sigma_mm`` (B, 8) the same of the object's keypoints. ``objective_before`` and
            ``objective_after`` (B,) are what a method that optimises each view makes smaller.
    """

    human: HumanPrediction | None = None
    object: ObjectPrediction | None = None
    extras: dict[str, Tensor] = field(default_factory=dict)
