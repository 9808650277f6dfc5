"""The training set's mean body, and mean object beside it, in the body's frame.

The joint metric's similarity alignment removes global orientation, so a mean taken in the camera frame
collapses and is a straw man. Here the pelvis is the origin and the root's rotation is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.from_joints import pose_body
from rhobin.data.targets.views import ViewTargets
from rhobin.geometry.align import rigid_align
from rhobin.geometry.rotation import project_to_so3
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

DISTANCE = 3.0
"""Where the constants are put in front of the camera, metres; no metric of people sees it."""


@dataclass(frozen=True)
class BodyConstant:
    """Means over training views, in the body frame.

    Attributes:
        joints: (29, 3) HybrIK joints, metres.
        kpts: (8, 3) object keypoints, metres.
        beta: (10,) shape.
        twist: (23, 2) cosine and sine.
    """

    joints: np.ndarray
    kpts: np.ndarray
    beta: np.ndarray
    twist: np.ndarray


def body_frame_mean(targets: ViewTargets, object_id: int | None = None) -> BodyConstant:
    """The training set's mean in the body frame.

    Args:
        targets: ground truth of the training views.
        object_id: only frames with this object; None for all.

    Raises:
        ValueError: no training view shows the object.
    """
    views = views_of(targets, object_id)
    frames = targets.frame[views]
    beside = targets.has_object[frames]
    pelvis, R = targets.joints[views, :1], targets.root_R[views]
    weight = targets.twist_weight[frames][..., None]
    twist = (targets.twist[frames] * weight).sum(axis=0)
    return BodyConstant(
        joints=((targets.joints[views] - pelvis) @ R).mean(axis=0),
        kpts=((targets.kpts[views] - pelvis) @ R)[beside].mean(axis=0),
        beta=targets.beta[frames].mean(axis=0),
        twist=twist / np.maximum(np.linalg.norm(twist, axis=-1, keepdims=True), 1e-9),
    )


def mean_orientation(targets: ViewTargets, object_id: int | None = None) -> np.ndarray:
    """The chordal mean (3, 3) of the body's orientations in the cameras; arguments as `body_frame_mean`."""
    mean = targets.root_R[views_of(targets, object_id)].astype(np.float64).mean(axis=0)
    return project_to_so3(torch.from_numpy(mean)).numpy().astype(np.float32)


def views_of(targets: ViewTargets, object_id: int | None = None) -> np.ndarray:
    """Rows of the views that show a person, with one object or any.

    Raises:
        ValueError: there is none.
    """
    of_view = targets.object_id[targets.frame]
    known = targets.has_human[targets.frame] & ((object_id is None) | (of_view == object_id))
    if not known.any():
        raise ValueError(f"No training view shows object {object_id}: there is no mean to predict.")
    return np.flatnonzero(known)


def predict_joint(means: Sequence[BodyConstant], test: ViewTargets, assets: Assets) -> Prediction:
    """A body and an object for every test view, one mean a view, in front of the camera.

    Args:
        means: for each test view.
        test: ground truth of the test views; only gender and object are used.
        assets: body models and templates.

    Returns:
        Person and object, metres, camera frame.
    """
    ahead = torch.tensor([0.0, 0.0, DISTANCE])
    kpts, object_id = _stack(means, "kpts") + ahead, torch.from_numpy(test.object_id[test.frame])
    R, t, scale = rigid_align(assets.keypoints()[object_id], kpts, None, scale=False)
    human = _person(_stack(means, "joints") + ahead, means, test, assets)
    return Prediction(human, ObjectPrediction(R, t, scale, kpts))


def predict_people(
    means: Sequence[BodyConstant], facing: Sequence[np.ndarray], test: ViewTargets, assets: Assets
) -> Prediction:
    """A body for every test view, turned as people are on average; arguments as `predict_joint`.

    Args:
        means: for each test view.
        facing: (3, 3) orientation for each test view.
        test: ground truth of the test views; only the gender is used.
        assets: body models.
    """
    turned = _stack(means, "joints") @ torch.from_numpy(np.stack(facing)).mT
    return Prediction(_person(turned + torch.tensor([0.0, 0.0, DISTANCE]), means, test, assets))


def _person(
    joints: Tensor, means: Sequence[BodyConstant], test: ViewTargets, assets: Assets
) -> HumanPrediction:
    gender, beta = torch.from_numpy(test.gender[test.frame]), _stack(means, "beta")
    theta, _, trans = pose_body(joints, beta, _stack(means, "twist"), gender, assets.bodies)
    return HumanPrediction(theta, beta, trans, joints)


def _stack(means: Sequence[BodyConstant], name: str) -> Tensor:
    return torch.from_numpy(np.stack([getattr(mean, name) for mean in means])).float()
