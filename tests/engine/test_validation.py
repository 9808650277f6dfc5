"""What counts in validation's scores: the views that show a part, each through its own camera."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rhobin.data.collate import collate
from rhobin.engine.build import build_datamodule
from rhobin.engine.validation import ValidationScores, challenge_intrinsics, view_intrinsics
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction


@pytest.fixture
def datamodule(smoke, tmp_path):
    return build_datamodule(smoke(tmp_path / "run"))


def scored(datamodule, batch, **options) -> dict[str, float]:
    """Scores of people without shape, and of objects that are the farther off the later their view."""
    scores = ValidationScores(datamodule.assets, samples=50, **options)
    human, thing = batch.target.human, batch.target.object
    person = human and HumanPrediction(human.theta, torch.zeros_like(human.beta), human.trans)
    off = torch.tensor([[0.01 * (1 + key.index)] for key in batch.keys])
    scores.add(batch, Prediction(person, ObjectPrediction(thing.R, thing.t + off)))
    return scores.compute()


def test_views_that_lack_a_part_do_not_count(datamodule):
    dataset = datamodule.val_dataset
    batch = collate([dataset[i] for i in range(4)])
    batch.target.human.present[0] = 0
    batch.target.object.present[1] = 0
    found = scored(datamodule, batch)
    alone = [scored(datamodule, collate([dataset[i]])) for i in range(4)]
    for name, views in (("MPJPE", (1, 2, 3)), ("MSSD", (0, 2, 3)), ("smpl_mm", (2, 3)), ("joint_mm", (2, 3))):
        assert found[name] == pytest.approx(np.mean([alone[i][name] for i in views]), rel=1e-5), name
    batch.target.human = None
    assert not {"MPJPE", "joint_mm"} & set(scored(datamodule, batch))


def test_each_view_is_projected_by_its_own_camera(datamodule):
    dataset = datamodule.val_dataset
    intrinsics, cameras = view_intrinsics(dataset), dataset.release.cameras
    batch = collate([dataset[i] for i in range(len(dataset))])
    kinects = {key.camera: intrinsics(key) for key in batch.keys}
    assert len(kinects) == 4
    for key in batch.keys:
        camera = cameras[dataset.release.views.camera[dataset.views[key.index]]]
        assert intrinsics(key)[0, 0] == pytest.approx(camera.K[0, 0] * 2048 / camera.width)
    own, first = (scored(datamodule, batch, intrinsics=f) for f in (intrinsics, challenge_intrinsics))
    assert own["MSPD"] != first["MSPD"]
    others = {name: value for name, value in first.items() if not name.startswith(("MSPD", "AR"))}
    assert {name: own[name] for name in others} == pytest.approx(others)
    alone = [
        scored(datamodule, collate([dataset[key.index]]), intrinsics=intrinsics)["MSPD"] for key in batch.keys
    ]
    assert own["MSPD"] == pytest.approx(np.mean(alone), rel=1e-4)
