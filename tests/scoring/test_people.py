"""Errors by joint and by part against plain NumPy and SciPy, and the curve whose area AUC is."""

import json

import numpy as np
import pytest
import torch
from behave_tree import make_tree, write_ground_truth
from scipy.spatial.transform import Rotation

from rhobin.body.joints import SMPLH_PARENTS
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.document import scores_document
from rhobin.scoring.people import JOINT_NAMES, PART_NAMES, people_splits
from rhobin.scoring.rows import score_rows

SHOWN = [*range(22), 22, 37]
PARTS = {"pelvis": 0, "left_hip": 1, "right_knee": 5, "left_shoulder": 16, "right_elbow": 19}


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("people") / "root", 4)
    write_ground_truth(root)
    return read_challenge(root)


@pytest.fixture(scope="module")
def noisy(setting):
    rng = np.random.default_rng(3)
    (name,), (truth,) = setting.annotations.keys(), setting.annotations.values()
    turned = truth.poses + rng.normal(0, 0.15, truth.poses.shape)
    people = {"betas": truth.betas + rng.normal(0, 0.5, truth.betas.shape), "trans": truth.trans + 0.1}
    return {name: {"frames": truth.frames, "gender": truth.gender, "poses": turned, **people}}


def told(setting, results, mode="official"):
    scored = score_rows(setting, {"human": {"ours": results}}, {"human": TRACKS["human"].modes[mode]})
    return scores_document(scored, {"row": "ours"})["tracks"]["human"]["ours"]


def joints(setting, poses, betas, trans):
    (annotation,) = setting.annotations.values()
    body = setting.bodies[annotation.gender]
    theta = rotvec_to_rotmat(torch.from_numpy(poses.reshape(-1, 52, 3)))
    return body(theta, torch.from_numpy(betas), torch.from_numpy(trans)).joints.numpy()[:, SHOWN]


def turned(poses):
    """Rotation of every joint in the camera's frame, as a product along the chain."""
    chain = []
    for joint, parent in enumerate(SMPLH_PARENTS):
        own = Rotation.from_rotvec(poses.reshape(-1, 52, 3)[:, joint])
        chain.append(own if parent < 0 else chain[parent] * own)
    return chain


def similarity(pred, true):
    """Rotation and aligned points of one frame, by an SVD."""
    a, b = pred - pred.mean(0), true - true.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    R = (u * sign) @ vt
    return R, (s * sign).sum() / (a**2).sum() * a @ R.T + true.mean(0)


def test_joints_and_parts_are_those_of_a_plain_computation(setting, noisy):
    found = told(setting, noisy)
    (true,), (record,) = setting.annotations.values(), noisy.values()
    keys = ("poses", "betas", "trans")
    pred_joints = joints(setting, *(record[key] for key in keys))
    true_joints = joints(setting, *(getattr(true, key) for key in keys))
    pred_joints, true_joints = (1000 * (x - x[:, :1]) for x in (pred_joints, true_joints))
    aligned = [similarity(a, b) for a, b in zip(pred_joints, true_joints, strict=True)]
    plain = np.linalg.norm(pred_joints - true_joints, axis=-1).mean(0)
    after = np.linalg.norm(np.array([x for _, x in aligned]) - true_joints, axis=-1).mean(0)
    assert list(found["by_joint"]) == list(JOINT_NAMES)
    for name, distance, distance_pa in zip(JOINT_NAMES, plain, after, strict=True):
        assert found["by_joint"][name]["MPJPE"] == pytest.approx(distance, abs=1e-6)
        assert found["by_joint"][name]["MPJPE_PA"] == pytest.approx(distance_pa, abs=1e-6)
    assert np.mean([row["MPJPE"] for row in found["by_joint"].values()]) == pytest.approx(
        found["scores"]["MPJPE"]
    )

    pred_R, true_R = turned(record["poses"]), turned(true.poses)
    frame_R = Rotation.from_matrix(np.array([R for R, _ in aligned]))
    assert len(found["by_part"]) == len(PART_NAMES) == 9
    for name, joint in PARTS.items():
        angle = np.rad2deg((pred_R[joint].inv() * true_R[joint]).magnitude()).mean()
        angle_pa = np.rad2deg(((frame_R * pred_R[joint]).inv() * true_R[joint]).magnitude()).mean()
        assert found["by_part"][name]["MPJAE"] == pytest.approx(angle, abs=1e-5)
        assert found["by_part"][name]["MPJAE_PA"] == pytest.approx(angle_pa, abs=1e-5)
    assert np.mean([row["MPJAE"] for row in found["by_part"].values()]) == pytest.approx(
        found["scores"]["MPJAE"]
    )


@pytest.mark.parametrize("mode", ["official", "paper"])
def test_the_area_under_the_curve_is_the_auc(setting, noisy, mode):
    found = told(setting, noisy, mode)
    curve, last = np.array(found["recall_by_mm"]), found["protocol"]["auc_max_mm"]
    assert len(curve) == last + 1
    assert np.trapezoid(curve) / last == pytest.approx(found["scores"]["AUC"], abs=1e-5)
    at = found["protocol"]["pck_mm"]
    if found["protocol"]["pck_inclusive"]:
        assert 100 * curve[int(at)] == pytest.approx(found["scores"]["PCK"], abs=1e-4)


def test_a_missing_frame_fails_in_the_curve_too(setting, noisy):
    ((name, record),) = noisy.items()
    arrays = {key: value[1:] for key, value in record.items() if isinstance(value, np.ndarray)}
    short = {name: {**record, **arrays, "frames": record["frames"][1:]}}
    score = TRACKS["human"].score(setting, short, TRACKS["human"].modes["strict"], "short", 1)
    curve = people_splits(score)["recall_by_mm"]
    assert max(curve) <= 0.75
    assert np.trapezoid(curve) / (len(curve) - 1) == pytest.approx(score.metrics()["AUC"], abs=1e-5)


def test_other_tracks_have_none_of_it(setting):
    (name,), (truth,) = setting.annotations.keys(), setting.annotations.values()
    rotations = Rotation.from_rotvec(truth.obj_rots).as_matrix()
    results = {name: {"frames": truth.frames, "obj_rots": rotations, "obj_trans": truth.obj_trans}}
    protocols = {"object": TRACKS["object"].modes["official"]}
    scored = score_rows(setting, {"object": {"ours": results}}, protocols)["object"]["ours"]
    assert set(scored.more) == {"by_symmetry"}
    assert json.dumps(scores_document({"object": {"ours": scored}}, {"row": "ours"}))
