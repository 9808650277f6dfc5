"""Predictions on disk: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.reports.store import (
    Provenance,
    StoreError,
    collect_results,
    read_results,
    sidecar_path,
    write_results,
)
from rhobin.types import Prediction, SampleKey

ORIGIN = Provenance("khor", "a1", "checkpoints/best.ckpt", "c" * 64, "cfg", "data", "rhobin-2023-joint")


def predict(count: int, seed: int = 0, scale: float = 1.0) -> Prediction:
    turns = Rotation.random(count * 52, rng=seed).as_matrix().reshape(count, 52, 3, 3)
    rng = np.random.default_rng(seed)
    return Prediction(
        theta=torch.from_numpy(turns),
        beta=torch.from_numpy(rng.normal(size=(count, 10))),
        trans=torch.from_numpy(rng.normal(size=(count, 3))),
        obj_R=torch.from_numpy(turns[:, 7]),
        obj_t=torch.from_numpy(rng.normal(size=(count, 3))),
        obj_scale=torch.full((count,), scale),
    )


def keys(*names: str, camera: int = 1) -> list[SampleKey]:
    return [SampleKey(*name.split("/"), camera, i) for i, name in enumerate(names)]


def test_round_trip(tmp_path):
    pred = predict(3)
    names = keys(
        "Date03_Sub04_stool/t0005.000", "Date03_Sub06_boxtiny/t0003.000", "Date03_Sub04_stool/t0003.000"
    )
    results = collect_results([(pred, torch.tensor([0, 1, 0]), names)])
    write_results(tmp_path / "results.pkl", results, ORIGIN)
    found, origin = read_results(tmp_path / "results.pkl", ORIGIN)
    assert origin == ORIGIN
    assert list(found) == ["Date03_Sub04_stool", "Date03_Sub06_boxtiny"]
    stool = found["Date03_Sub04_stool"]
    assert stool["frames"] == ["t0003.000", "t0005.000"]
    assert stool["gender"] == "male"
    assert found["Date03_Sub06_boxtiny"]["gender"] == "female"
    assert "obj_scales" not in stool
    rotvecs = Rotation.from_matrix(pred.theta[2].numpy()).as_rotvec()
    turned = Rotation.from_rotvec(stool["poses"][0].reshape(52, 3))
    assert (turned * Rotation.from_rotvec(rotvecs).inv()).magnitude().max() < 1e-9
    np.testing.assert_array_equal(stool["obj_rots"][0], pred.obj_R[2].numpy())
    np.testing.assert_array_equal(stool["trans"][1], pred.trans[0].numpy())


def test_scale_is_stored_where_a_method_predicts_it():
    name = keys("Date03_Sub04_stool/t0003.000")
    results = collect_results([(predict(1, scale=1.1), torch.tensor([0]), name)])
    np.testing.assert_allclose(results["Date03_Sub04_stool"]["obj_scales"], [1.1])


@pytest.mark.parametrize("field", ["method", "run", "checkpoint_hash", "config_hash", "data_hash"])
def test_results_of_other_origin_are_refused(tmp_path, field):
    results = collect_results([(predict(1), torch.tensor([0]), keys("Date03_Sub04_stool/t0003.000"))])
    write_results(tmp_path / "results.pkl", results, ORIGIN)
    with pytest.raises(StoreError, match=rf"results\.pkl has {field} .*expected 'other'"):
        read_results(tmp_path / "results.pkl", replace(ORIGIN, **{field: "other"}))


def test_missing_and_foreign_sidecars_are_refused(tmp_path):
    path = tmp_path / "results.pkl"
    with pytest.raises(FileNotFoundError, match=r"results\.pkl is missing"):
        read_results(path)
    write_results(path, {}, ORIGIN)
    content = json.loads(sidecar_path(path).read_text())
    sidecar_path(path).write_text(json.dumps(content | {"schema": 99}))
    with pytest.raises(StoreError, match="expected schema 1, found 99"):
        read_results(path)
    sidecar_path(path).write_text(json.dumps({k: v for k, v in content.items() if k != "data_hash"}))
    with pytest.raises(StoreError, match="data_hash"):
        read_results(path)


def test_only_views_of_kinect_1_and_each_once():
    gender = torch.tensor([0])
    with pytest.raises(ValueError, match=r"t0003\.000: .* kinect 1, not 2"):
        collect_results([(predict(1), gender, keys("Date03_Sub04_stool/t0003.000", camera=2))])
    twice = [(predict(1), gender, keys("Date03_Sub04_stool/t0003.000"))] * 2
    with pytest.raises(ValueError, match=r"t0003\.000 was predicted twice"):
        collect_results(twice)


def test_half_a_prediction_is_refused():
    pred = predict(1)
    pred.obj_t = None
    with pytest.raises(ValueError, match="needs obj_t"):
        collect_results([(pred, torch.tensor([0]), keys("Date03_Sub04_stool/t0003.000"))])
