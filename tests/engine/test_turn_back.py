"""Predictions and scores of turned crops, in the frame of the camera that took the view."""

from __future__ import annotations

import pytest
import torch

from rhobin.data.collate import collate
from rhobin.engine.baselines import perfect, select_views
from rhobin.engine.build import build_datamodule
from rhobin.engine.predict import predict_views
from rhobin.engine.turn_back import turn_back
from rhobin.engine.validation import ValidationScores, view_intrinsics
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.scoring.collect import PredictedViews, collect_results
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction


@pytest.fixture
def made(smoke, tmp_path):
    """A datamodule with ray correction, and one without."""
    return [
        build_datamodule(smoke(tmp_path / ray, f"data.view.ray={ray}", "data.cache.kind=none"))
        for ray in ("turn", "ignore")
    ]


def told(batch):
    """The truth of a batch as a prediction."""
    human, obj = batch.target.human, batch.target.object
    return Prediction(
        HumanPrediction(human.theta, human.beta, human.trans, human.joints),
        ObjectPrediction(obj.R, obj.t, kpts=obj.kpts),
    )


def erring(prediction):
    """The same with errors that do not depend on the frame."""
    turn = rotvec_to_rotmat(torch.tensor([0.2, -0.1, 0.15]))
    human, obj = prediction.human, prediction.object
    theta = human.theta.clone()
    theta[:, 16] = theta[:, 16] @ turn
    human = HumanPrediction(theta, human.beta, human.trans, human.joints)
    return Prediction(human, ObjectPrediction(obj.R @ turn, 1.04 * obj.t, kpts=obj.kpts))


def views_of(datamodule, count=6):
    dataset = datamodule.val_dataset
    return collate([dataset[i] for i in range(count)])


def test_the_truth_of_turned_crops_is_that_of_the_views(made):
    turned, plain = map(views_of, made)
    assert (turned.turn - torch.eye(3)).abs().amax((1, 2)).min() > 0.01
    found = turn_back(told(turned), turned.turn, turned.gender, made[0].assets.bodies)
    true = told(plain)
    for part in ("human", "object"):
        for name, value in vars(getattr(true, part)).items():
            if value is not None:
                assert torch.allclose(getattr(getattr(found, part), name), value, atol=2e-5), name
    assert not torch.allclose(turned.target.human.trans, plain.target.human.trans, atol=1e-2)


def test_where_nothing_turned_predictions_stay_as_they_are(made):
    plain = views_of(made[1])
    prediction = told(plain)
    assert turn_back(prediction, plain.turn, plain.gender, made[1].assets.bodies) is prediction


def test_validation_scores_are_those_of_the_views(made):
    """MSPD too, which is counted in pixels of the view."""
    found = []
    for datamodule in made:
        batch = views_of(datamodule)
        intrinsics = view_intrinsics(datamodule.val_dataset)
        scores = ValidationScores(datamodule.assets, intrinsics, samples=200)
        scores.add(batch, erring(told(batch)))
        found.append(scores.compute())
    assert found[1]["MSPD"] > 1
    assert found[0] == pytest.approx(found[1], rel=2e-3)
    assert found[0]["MSPD"] == pytest.approx(found[1]["MSPD"], rel=1e-4)


def test_a_method_that_knows_the_truth_scores_no_error(made):
    datamodule = made[0]

    class Knows(torch.nn.Module):
        evaluated = torch.nn.Identity()

        def predict(self, batch):
            for _ in range(3):
                self.evaluated(batch.image)
            return told(batch)

    found = predict_views(
        Knows(), datamodule.test_dataloader(), datamodule.assets.bodies, torch.device("cpu")
    )
    assert found.evaluations == 3
    test = datamodule.test_dataset
    truth, keys = select_views(test), [test.key(i) for i in range(len(test))]
    gender = torch.from_numpy(truth.gender[truth.frame])
    expected = collect_results([PredictedViews(perfect(truth), gender, keys)])
    assert found.results.keys() == expected.keys()
    for name, record in expected.items():
        for key in ("trans", "betas", "obj_rots", "obj_trans"):
            assert record[key] == pytest.approx(found.results[name][key], abs=2e-5), key
        angles = [rotvec_to_rotmat(torch.from_numpy(r["poses"]).reshape(-1, 52, 3)) for r in
                  (record, found.results[name])]  # fmt: skip
        assert torch.allclose(*angles, atol=1e-5)
    assert found.further.arrays["turn"].shape == (len(test), 3, 3)
