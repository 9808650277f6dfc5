"""Predictors that need no network: constants of the training set, and the ground truth itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from rhobin.assets import Assets
from rhobin.data.dataset import BehaveDataset
from rhobin.data.targets.views import ViewTargets
from rhobin.engine.body_constant import body_frame_mean, mean_orientation, predict_joint, predict_people
from rhobin.engine.object_constant import predict_objects, seen_objects
from rhobin.scoring.collect import Further, PredictedViews, collect_results
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction, SampleKey

Results = dict[str, dict[str, Any]]
CONSTANTS = ("constant", "constant_per_object")
PERFECT = "perfect"


def baseline_rows(
    tracks: Sequence[str],
    method: str,
    results: Results,
    further: Further,
    test: BehaveDataset,
    train: BehaveDataset | None,
    assets: Assets,
) -> dict[str, dict[str, Results]]:
    """The rows of each track's table, in order: constants, the method, the perfect predictor.

    Args:
        tracks: which tables.
        method: name of the method's row.
        results: the method's predictions.
        further: what it stored beside them; tells the crop of each view.
        test: test views.
        train: training views; None leaves the constants out.
        assets: body models and templates.

    Returns:
        Predictions by track and name of the row.
    """
    truth = select_views(test)
    views = [test.key(i) for i in range(len(test))]
    best = _collect(perfect(truth), truth, views)
    rows = {}
    for track in tracks:
        fixed = {} if train is None else CONSTANT_ROWS[track](train, test, further, assets)
        rows[track] = {**fixed, method: results, PERFECT: best}
    return rows


def joint_constants(
    train: BehaveDataset, test: BehaveDataset, further: Further, assets: Assets
) -> dict[str, Results]:
    """Mean body and mean keypoints in the body frame for every test view: one mean, or one an object."""
    known, truth = select_views(train), select_views(test)
    views = [test.key(i) for i in range(len(test))]
    return {
        row: _collect(predict_joint(means, truth, assets), truth, views)
        for row, means in _per_view(known, truth, body_frame_mean).items()
    }


def human_constants(
    train: BehaveDataset, test: BehaveDataset, further: Further, assets: Assets
) -> dict[str, Results]:
    """The same bodies, facing as people do on average."""
    known, truth = select_views(train), select_views(test)
    views = [test.key(i) for i in range(len(test))]
    means, facing = _per_view(known, truth, body_frame_mean), _per_view(known, truth, mean_orientation)
    return {
        row: _collect(predict_people(means[row], facing[row], truth, assets), truth, views)
        for row in CONSTANTS
    }


def object_constants(
    train: BehaveDataset, test: BehaveDataset, further: Further, assets: Assets
) -> dict[str, Results]:
    """Mean allocentric rotation and scale-invariant translation, in the crop of every predicted view."""
    truth, seen = select_views(test), seen_objects(train)
    row_of = {(key.sequence, key.frame): i for i, key in enumerate(map(test.key, range(len(test))))}
    rows = [row_of[str(s), str(f)] for s, f in zip(further.sequence, further.frame, strict=True)]
    frame = truth.frame[rows]
    K_crop, turn = (torch.from_numpy(further.arrays[name]) for name in ("K_crop", "turn"))
    size = test.config.view.input_size
    gender, views = torch.from_numpy(truth.gender[frame]), [test.key(row) for row in rows]
    found = {}
    for row in CONSTANTS:
        ids = truth.object_id[frame].tolist()
        pred = predict_objects(seen, ids, K_crop, turn, size, row != CONSTANTS[0])
        found[row] = collect_results([PredictedViews(pred, gender, views)])
    return found


CONSTANT_ROWS: Mapping[str, Callable[..., dict[str, Results]]] = {
    "joint": joint_constants,
    "human": human_constants,
    "object": object_constants,
}
"""The fair constants of each track: of what its metric sees."""


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


def select_views(dataset: BehaveDataset) -> ViewTargets:
    """Ground truth of the views of one dataset, in its order; frames stay whole."""
    targets, views = dataset.targets, dataset.views
    per_view = ("frame", "root_R", "trans", "joints", "obj_R", "obj_t", "kpts")
    return replace(targets, **{name: getattr(targets, name)[views] for name in per_view})


def _per_view(
    train: ViewTargets, test: ViewTargets, mean: Callable[[ViewTargets, int | None], Any]
) -> dict[str, list[Any]]:
    """A mean for every test view, by row; that over all where nobody was seen with the object in training."""
    of_view, everyone = test.object_id[test.frame].tolist(), mean(train, None)
    frames = train.frame[train.has_human[train.frame]]
    seen = set(train.object_id[frames].tolist())
    own = {index: mean(train, index) if index in seen else everyone for index in set(of_view)}
    return dict(zip(CONSTANTS, ([everyone] * len(of_view), [own[i] for i in of_view]), strict=True))


def _collect(prediction: Prediction, test: ViewTargets, views: list[SampleKey]) -> Results:
    gender = torch.from_numpy(np.asarray(test.gender[test.frame]))
    return collect_results([PredictedViews(prediction, gender, views)])
