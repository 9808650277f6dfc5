"""Predictions on disk: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.metrics.submission import SubmissionError
from rhobin.scoring.collect import PredictedViews, collect_results, gather
from rhobin.scoring.store import (
    FURTHER,
    RESULTS,
    SIDECAR,
    Provenance,
    StoreError,
    read_further,
    read_results,
    write_results,
)
from rhobin.scoring.submissions import possible_tracks, track_results
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction, SampleKey

ORIGIN = Provenance(
    "khor",
    "KHOR",
    "a1",
    "checkpoints/best.ckpt",
    "c" * 64,
    "cfg",
    "data",
    "rhobin-2023-joint",
    "stand-in",
    "b" * 12,
)
STOOL = "Date03_Sub04_stool/t0003.000"


def predict(count: int, seed: int = 0, scale: float = 1.0) -> Prediction:
    turns = Rotation.random(count * 52, rng=seed).as_matrix().reshape(count, 52, 3, 3)
    rng = np.random.default_rng(seed)
    human = HumanPrediction(
        torch.from_numpy(turns),
        torch.from_numpy(rng.normal(size=(count, 10))),
        torch.from_numpy(rng.normal(size=(count, 3))),
        torch.from_numpy(rng.normal(size=(count, 29, 3))).float(),
    )
    shift, size = torch.from_numpy(rng.normal(size=(count, 3))), torch.full((count,), scale)
    sigma = torch.from_numpy(rng.random((count, 8))).to(torch.bfloat16)
    return Prediction(
        human, ObjectPrediction(torch.from_numpy(turns[:, 7]), shift, size), extras={"sigma": sigma}
    )


def keys(*names: str, camera: int = 1) -> list[SampleKey]:
    return [SampleKey(*name.split("/"), camera, i) for i, name in enumerate(names)]


def views(pred: Prediction, *names: str, camera: int = 1, K_crop=None) -> PredictedViews:
    gender = torch.tensor([i % 2 for i in range(len(names))])
    return PredictedViews(pred, gender, keys(*names, camera=camera), K_crop)


def test_exported_rotation_vectors_are_no_longer_than_pi_and_turn_sign_at_pi_alone():
    """One joint that turns steadily past a half turn: its vectors jump there, and nowhere else."""
    degrees = np.arange(0, 361, 5)
    pred, axis = predict(len(degrees)), np.array([0.36, -0.48, 0.8])
    steady = Rotation.from_rotvec(np.deg2rad(degrees)[:, None] * axis)
    pred.human.theta[:, 0] = torch.from_numpy(steady.as_matrix())
    names = [f"Date03_Sub04_stool/t{frame:04d}.000" for frame in range(len(degrees))]
    gender = torch.zeros(len(degrees), dtype=torch.int64)
    poses = collect_results([PredictedViews(pred, gender, keys(*names))])["Date03_Sub04_stool"]["poses"]
    assert np.linalg.norm(poses.reshape(-1, 3), axis=1).max() <= np.pi + 1e-12
    steps = np.rad2deg(np.linalg.norm(np.diff(poses[:, :3], axis=0), axis=1))
    jumps = np.abs(steps - 5) > 1e-6
    assert jumps.sum() == 1
    assert degrees[:-1][jumps].item() in (175, 180)


def test_round_trip(tmp_path):
    pred = predict(3)
    names = (
        "Date03_Sub04_stool/t0005.000",
        "Date03_Sub06_boxtiny/t0003.000",
        "Date03_Sub04_stool/t0003.000",
    )
    results = collect_results([views(pred, *names)])
    write_results(tmp_path, results, ORIGIN)
    found, origin = read_results(tmp_path, ORIGIN)
    assert origin == ORIGIN
    assert list(found) == ["Date03_Sub04_stool", "Date03_Sub06_boxtiny"]
    stool = found["Date03_Sub04_stool"]
    assert stool["frames"] == ["t0003.000", "t0005.000"]
    assert stool["gender"] == "male"
    assert found["Date03_Sub06_boxtiny"]["gender"] == "female"
    assert "obj_scales" not in stool
    rotvecs = Rotation.from_matrix(pred.human.theta[2].numpy()).as_rotvec()
    turned = Rotation.from_rotvec(stool["poses"][0].reshape(52, 3))
    assert (turned * Rotation.from_rotvec(rotvecs).inv()).magnitude().max() < 1e-9
    np.testing.assert_array_equal(stool["obj_rots"][0], pred.object.R[2].numpy())
    np.testing.assert_array_equal(stool["trans"][1], pred.human.trans[0].numpy())


def test_scale_is_stored_where_a_method_predicts_it():
    results = collect_results([views(predict(1, scale=1.1), STOOL)])
    np.testing.assert_allclose(results["Date03_Sub04_stool"]["obj_scales"], [1.1])


def test_whatever_else_is_predicted_is_kept_as_plain_arrays(tmp_path):
    pred = predict(2)
    K_crop = torch.arange(18.0).reshape(2, 3, 3)
    names = ("Date03_Sub04_stool/t0005.000", STOOL)
    results, further = gather([views(pred, *names, K_crop=K_crop)])
    write_results(tmp_path, results, ORIGIN, further)
    found = read_further(tmp_path)
    assert found.frame.tolist() == ["t0003.000", "t0005.000"]
    assert set(found.arrays) == {"K_crop", "joints", "extras.sigma"}
    np.testing.assert_array_equal(found.arrays["K_crop"], K_crop.numpy()[::-1])
    np.testing.assert_array_equal(found.arrays["joints"], pred.human.joints.numpy()[::-1])
    np.testing.assert_array_equal(found.arrays["extras.sigma"], pred.extras["sigma"].float().numpy()[::-1])
    with np.load(tmp_path / FURTHER, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)
    first = (tmp_path / FURTHER).read_bytes()
    write_results(tmp_path, results, ORIGIN, further)
    assert (tmp_path / FURTHER).read_bytes() == first
    (tmp_path / FURTHER).write_bytes(first[:-1] + b"?")
    with pytest.raises(StoreError, match=r"predictions\.npz is not the file"):
        read_further(tmp_path)
    (tmp_path / FURTHER).unlink()
    with pytest.raises(FileNotFoundError, match=r"predictions\.npz is missing"):
        read_further(tmp_path)


@pytest.mark.parametrize(
    ("lost", "absent", "track", "refused"),
    [
        ("object", ("obj_rots", "obj_trans"), "human", "joint track needs the object"),
        ("human", ("poses", "betas", "trans"), "object", "joint track needs the human"),
    ],
)
def test_one_part_is_stored_and_packed_without_the_other(lost, absent, track, refused):
    pred = replace(predict(1), **{lost: None})
    results = collect_results([views(pred, STOOL)])
    assert not set(absent) & set(results["Date03_Sub04_stool"])
    assert possible_tracks(results) == (track,)
    packed = track_results(results, track, "run")["Date03_Sub04_stool"]
    assert len(packed) > 2
    with pytest.raises(SubmissionError, match=rf"run: the {refused}.*packed: {track}\."):
        track_results(results, "joint", "run")


def test_a_track_s_submission_holds_nothing_else():
    results = collect_results([views(predict(1), STOOL)])
    assert possible_tracks(results) == ("joint", "human", "object")
    packed = {
        track: set(track_results(results, track, "")["Date03_Sub04_stool"]) for track in ("human", "object")
    }
    assert packed == {
        "human": {"frames", "gender", "poses", "betas", "trans"},
        "object": {"frames", "obj_rots", "obj_trans"},
    }


@pytest.mark.parametrize("field", ["method", "title", "run", "checkpoint_hash", "config_hash", "data_hash"])
def test_results_of_other_origin_are_refused(tmp_path, field):
    write_results(tmp_path, collect_results([views(predict(1), STOOL)]), ORIGIN)
    with pytest.raises(StoreError, match=rf"results\.pkl has {field} .*expected 'other'"):
        read_results(tmp_path, replace(ORIGIN, **{field: "other"}))


def test_missing_and_foreign_sidecars_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"results\.pkl is missing"):
        read_results(tmp_path)
    write_results(tmp_path, {}, ORIGIN)
    sidecar = tmp_path / SIDECAR
    content = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(content | {"schema": 99}))
    with pytest.raises(StoreError, match="expected schema 4, found 99"):
        read_results(tmp_path)
    sidecar.write_text(json.dumps({k: v for k, v in content.items() if k != "data_hash"}))
    with pytest.raises(StoreError, match="data_hash"):
        read_results(tmp_path)
    assert (tmp_path / RESULTS).is_file()


def test_only_views_of_kinect_1_and_each_once():
    with pytest.raises(ValueError, match=r"t0003\.000: .* kinect 1, not 2"):
        collect_results([views(predict(1), STOOL, camera=2)])
    with pytest.raises(ValueError, match=r"t0003\.000 was predicted twice"):
        collect_results([views(predict(1), STOOL)] * 2)


def test_a_prediction_of_nothing_is_refused():
    with pytest.raises(ValueError, match="neither a person nor an object"):
        collect_results([views(Prediction(), STOOL)])
