"""Predictors that need no network: constants of the training set, and the ground truth itself.

The metric's similarity alignment removes global orientation, so a mean taken in the camera frame collapses
and is a straw man. The constants here are means in the *body* frame: pelvis at the origin, root rotation
removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.targets.views import ViewTargets
from rhobin.methods.khor.decode import keypoints_to_prediction
from rhobin.reports.store import collect_results
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

DISTANCE = 3.0
"""Where the constants are put in front of the camera, metres; the metric does not see it."""


@dataclass(frozen=True)
class Constant:
    """Means over training frames, in the body frame.

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


def body_frame_mean(targets: ViewTargets, object_id: int | None = None) -> Constant:
    """The training set's mean in the body frame.

    Args:
        targets: ground truth of the training views.
        object_id: only frames with this object; None for all.

    Returns:
        The means.

    Raises:
        ValueError: no training frame shows the object.
    """
    of_view = targets.object_id[targets.frame]
    views = np.arange(len(of_view)) if object_id is None else np.flatnonzero(of_view == object_id)
    if len(views) == 0:
        raise ValueError(f"No training view shows object {object_id}: there is no mean to predict.")
    frames = targets.frame[views]
    pelvis, R = targets.joints[views, :1], targets.root_R[views]
    weight = targets.twist_weight[frames][..., None]
    twist = (targets.twist[frames] * weight).sum(axis=0)
    return Constant(
        joints=((targets.joints[views] - pelvis) @ R).mean(axis=0),
        kpts=((targets.kpts[views] - pelvis) @ R).mean(axis=0),
        beta=targets.beta[frames].mean(axis=0),
        twist=twist / np.maximum(np.linalg.norm(twist, axis=-1, keepdims=True), 1e-9),
    )


def constant(train: ViewTargets, test: ViewTargets, bodies: BodySet, template_kpts: Tensor) -> Prediction:
    """The same mean body and mean keypoints for every test view, whatever its object.

    Args:
        train: ground truth of the training views.
        test: ground truth of the test views; only gender and object name are used.
        bodies: body models.
        template_kpts: (20, 8, 3) keypoints of the templates, metres.

    Returns:
        One prediction a test view, camera frame.
    """
    mean = body_frame_mean(train)
    return _predict([mean] * len(test.frame), test, bodies, template_kpts)


def constant_per_object(
    train: ViewTargets, test: ViewTargets, bodies: BodySet, template_kpts: Tensor
) -> Prediction:
    """The mean of the training frames with the same object; arguments and result as `constant`.

    A test object that no training frame shows gets the mean over all.
    """
    of_view = test.object_id[test.frame]
    seen = set(train.object_id[train.frame].tolist())
    means = {o: body_frame_mean(train, o if o in seen else None) for o in set(of_view.tolist())}
    return _predict([means[o] for o in of_view.tolist()], test, bodies, template_kpts)


def perfect(test: ViewTargets) -> Prediction:
    """The ground truth as a prediction: what remains of the error is the metric's sampling floor."""
    theta = torch.from_numpy(test.theta[test.frame])
    theta[:, 0] = torch.from_numpy(test.root_R)
    human = HumanPrediction(
        theta,
        torch.from_numpy(test.beta[test.frame]),
        torch.from_numpy(test.trans),
        torch.from_numpy(test.joints),
    )
    pose = (torch.from_numpy(test.obj_R), torch.from_numpy(test.obj_t))
    return Prediction(human, ObjectPrediction(*pose, kpts=torch.from_numpy(test.kpts)))


def baseline_rows(
    datamodule: BehaveDataModule, method: str, results: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The rows of the score table, in order: constants, the method, the perfect predictor.

    Args:
        datamodule: set up; gives training means and test views.
        method: name of the method's row.
        results: the method's predictions.

    Returns:
        Predictions by row name.
    """
    train = select_views(datamodule.train_dataset)
    test = select_views(datamodule.test_dataset)
    bodies, kpts = datamodule.assets.bodies, datamodule.assets.keypoints()
    return {
        "constant": _collect(constant(train, test, bodies, kpts), test, datamodule.test_dataset),
        "constant_per_object": _collect(
            constant_per_object(train, test, bodies, kpts), test, datamodule.test_dataset
        ),
        method: results,
        "perfect": _collect(perfect(test), test, datamodule.test_dataset),
    }


def select_views(dataset: BehaveDataset) -> ViewTargets:
    """Ground truth of the views of one dataset, in its order; frames stay whole."""
    targets, views = dataset.targets, dataset.views
    per_view = ("frame", "root_R", "trans", "joints", "obj_R", "obj_t", "kpts")
    return replace(targets, **{name: getattr(targets, name)[views] for name in per_view})


def _predict(
    means: Sequence[Constant], test: ViewTargets, bodies: BodySet, template_kpts: Tensor
) -> Prediction:
    def stack(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(mean, name) for mean in means])).float()

    ahead = torch.tensor([0.0, 0.0, DISTANCE])
    return keypoints_to_prediction(
        stack("joints") + ahead,
        stack("kpts") + ahead,
        stack("beta"),
        stack("twist"),
        torch.from_numpy(test.gender[test.frame]),
        torch.from_numpy(test.object_id[test.frame]),
        bodies,
        template_kpts,
    )


def _collect(prediction: Prediction, test: ViewTargets, dataset: BehaveDataset) -> dict[str, Any]:
    keys = [dataset.key(i) for i in range(len(dataset))]
    gender = torch.from_numpy(np.asarray(test.gender[test.frame]))
    return collect_results([(prediction, gender, keys)])
