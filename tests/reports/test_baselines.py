"""Constant predictors are means in the body frame; the perfect one is the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.data.targets.views import ViewTargets
from rhobin.engine.baselines import _per_view, perfect
from rhobin.engine.body_constant import (
    DISTANCE,
    body_frame_mean,
    mean_orientation,
    predict_joint,
    predict_people,
)
from rhobin.engine.object_constant import SeenObjects, predict_objects
from rhobin.objects.load import load_templates


def targets(seed: int = 0, frames: int = 6, views: int = 3) -> ViewTargets:
    """Random targets whose joints and keypoints are consistent between the views of a frame."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(frames), views)
    root = Rotation.random(frames * views, rng=seed).as_matrix()
    in_body = rng.normal(0, 0.4, (frames, 29, 3))
    in_body[:, 0] = 0
    things = rng.normal(0, 0.5, (frames, 8, 3))
    pelvis = rng.normal(0, 1, (frames * views, 1, 3)) + np.array([0, 0, 3])
    theta = Rotation.random(frames * 52, rng=seed + 1).as_matrix().reshape(frames, 52, 3, 3)
    twist = rng.normal(size=(frames, 23, 2))
    arrays = {
        "theta": theta,
        "beta": rng.normal(size=(frames, 10)),
        "twist": twist / np.linalg.norm(twist, axis=-1, keepdims=True),
        "twist_weight": (rng.random((frames, 23)) > 0.1).astype(float),
        "root_R": root,
        "trans": pelvis[:, 0] + 0.1,
        "joints": in_body[row] @ root.transpose(0, 2, 1) + pelvis,
        "obj_R": root[::-1].copy(),
        "obj_t": pelvis[:, 0] - 0.2,
        "kpts": things[row] @ root.transpose(0, 2, 1) + pelvis,
    }
    return ViewTargets(
        assets=None,
        frame=row,
        has_human=np.ones(frames, bool),
        has_object=np.ones(frames, bool),
        gender=np.arange(frames) % 2,
        object_id=np.arange(frames) % 3,
        **{name: value.astype(np.float32) for name, value in arrays.items()},
    )


@pytest.fixture(scope="module")
def assets():
    return Assets.of(load_bodies(), load_templates())


def test_mean_is_taken_in_the_body_frame():
    truth = targets()
    mean = body_frame_mean(truth)
    by_hand = np.mean(
        [(truth.joints[v] - truth.joints[v, 0]) @ truth.root_R[v] for v in range(len(truth.frame))], axis=0
    )
    np.testing.assert_allclose(mean.joints, by_hand, atol=1e-6)
    np.testing.assert_allclose(mean.joints[0], 0, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(mean.twist, axis=-1), 1, atol=1e-5)


def test_mean_does_not_depend_on_where_the_cameras_stand():
    truth = targets()
    turn = Rotation.random(len(truth.frame), rng=9).as_matrix().astype(np.float32)
    moved = replace(
        truth,
        root_R=turn @ truth.root_R,
        joints=np.einsum("vij,vkj->vki", turn, truth.joints) + 2,
        kpts=np.einsum("vij,vkj->vki", turn, truth.kpts) + 2,
    )
    np.testing.assert_allclose(body_frame_mean(moved).joints, body_frame_mean(truth).joints, atol=1e-5)
    np.testing.assert_allclose(body_frame_mean(moved).kpts, body_frame_mean(truth).kpts, atol=1e-5)


def test_mean_per_object_uses_its_own_frames():
    truth = targets()
    views = truth.object_id[truth.frame] == 2
    local = np.einsum("vki,vij->vkj", truth.kpts - truth.joints[:, :1], truth.root_R)
    np.testing.assert_allclose(body_frame_mean(truth, 2).kpts, local[views].mean(0), atol=1e-6)
    with pytest.raises(ValueError, match="No training view shows object 7"):
        body_frame_mean(truth, 7)


def rows(train, test, assets):
    return {
        row: predict_joint(means, test, assets)
        for row, means in _per_view(train, test, body_frame_mean).items()
    }


def test_constant_predicts_the_same_body_for_everyone(assets):
    train, test = targets(0), targets(5)
    pred = rows(train, test, assets)["constant"]
    assert pred.human.theta.shape == (len(test.frame), 52, 3, 3)
    mean = torch.from_numpy(body_frame_mean(train).joints) + torch.tensor([0, 0, DISTANCE])
    torch.testing.assert_close(pred.human.joints, mean.expand_as(pred.human.joints).float())
    same_gender = torch.from_numpy(test.gender[test.frame]) == 0
    assert (pred.human.theta[same_gender] - pred.human.theta[same_gender][0]).abs().max() < 1e-6


def test_objects_never_seen_get_the_mean_over_all(assets):
    train, test = targets(0), targets(5)
    unseen = rows(train, replace(test, object_id=np.full(6, 11)), assets)
    torch.testing.assert_close(unseen["constant_per_object"].object.kpts, unseen["constant"].object.kpts)
    seen = rows(train, replace(test, object_id=np.full(6, 1)), assets)
    assert (seen["constant_per_object"].object.kpts - seen["constant"].object.kpts).abs().max() > 0.01


def test_frames_without_a_person_do_not_count():
    truth = targets()
    known = np.arange(6) != 2
    hidden = replace(
        truth, has_human=known, joints=np.where(known[truth.frame, None, None], truth.joints, np.nan)
    )
    kept = known[truth.frame]
    local = np.einsum("vki,vij->vkj", truth.joints - truth.joints[:, :1], truth.root_R)
    np.testing.assert_allclose(body_frame_mean(hidden).joints, local[kept].mean(0), atol=1e-6)


def test_the_human_track_s_constant_faces_as_people_do(assets):
    """Its pose is the joint track's, turned by the mean orientation."""
    train, test = targets(0), targets(5)
    means, facing = (_per_view(train, test, mean)["constant"] for mean in (body_frame_mean, mean_orientation))
    still, turned = (
        predict_joint(means, test, assets).human,
        predict_people(means, facing, test, assets).human,
    )
    by_hand = Rotation.from_matrix(train.root_R).mean().as_matrix()
    np.testing.assert_allclose(facing[0], by_hand, atol=1e-5)
    R = torch.from_numpy(by_hand).float()
    ahead = torch.tensor([0, 0, DISTANCE])
    torch.testing.assert_close(turned.joints, (still.joints - ahead) @ R.T + ahead, atol=1e-5, rtol=0)
    torch.testing.assert_close(turned.theta[:, 1:22], still.theta[:, 1:22], atol=1e-3, rtol=0)


def test_the_object_s_constant_is_what_crops_show():
    """Objects that look alike in their crops have one mean, which every crop gets back in its own camera."""
    site = torch.tensor([0.1, -0.05, 0.004], dtype=torch.float64)
    look = torch.from_numpy(Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix())
    K = torch.tensor(
        [[[900.0, 0, 100], [0, 900, -300], [0, 0, 1]], [[400.0, 0, 32], [0, 400, 30], [0, 0, 1]]]
    )
    seen = SeenObjects(
        torch.tensor([3, 3, 5]), torch.stack([look, look, look.T]), torch.stack([site, site, -site])
    )
    pred = predict_objects(seen, [3, 3], K, torch.eye(3).repeat(2, 1, 1), 64, per_object=True)
    for t, R, camera in zip(pred.object.t, pred.object.R, K.double(), strict=True):
        pixel = (camera @ t)[:2] / t[2]
        torch.testing.assert_close((pixel + 0.5) / 64 - 0.5, site[:2])
        assert t[2] == pytest.approx(0.004 * camera[0, 0] / 64)
        ray = t / t.norm()
        torch.testing.assert_close(R.T @ ray, look.T @ torch.tensor([0.0, 0, 1], dtype=torch.float64))
    everyone = seen.mean()[1]
    torch.testing.assert_close(everyone, site / 3)
    torch.testing.assert_close(seen.mean(11)[1], everyone)


def test_perfect_is_the_truth():
    test = targets(3)
    pred = perfect(test)
    np.testing.assert_array_equal(pred.human.theta[:, 0].numpy(), test.root_R)
    np.testing.assert_array_equal(pred.human.theta[:, 1:].numpy(), test.theta[test.frame][:, 1:])
    np.testing.assert_array_equal(pred.human.trans.numpy(), test.trans)
    np.testing.assert_array_equal(pred.object.R.numpy(), test.obj_R)
