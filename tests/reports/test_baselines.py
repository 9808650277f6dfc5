"""Constant predictors are means in the body frame; the perfect one is the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_bodies
from rhobin.data.targets.views import ViewTargets
from rhobin.engine.baselines import DISTANCE, body_frame_mean, constant, constant_per_object, perfect


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
        frame=row,
        gender=np.arange(frames) % 2,
        object_id=np.arange(frames) % 3,
        **{name: value.astype(np.float32) for name, value in arrays.items()},
    )


@pytest.fixture(scope="module")
def bodies():
    return load_bodies()


@pytest.fixture(scope="module")
def template_kpts():
    return torch.randn(20, 8, 3, generator=torch.Generator().manual_seed(0)) * 0.2


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


def test_constant_predicts_the_same_body_for_everyone(bodies, template_kpts):
    train, test = targets(0), targets(5)
    pred = constant(train, test, bodies, template_kpts)
    assert pred.theta.shape == (len(test.frame), 52, 3, 3)
    mean = torch.from_numpy(body_frame_mean(train).joints) + torch.tensor([0, 0, DISTANCE])
    torch.testing.assert_close(pred.joints, mean.expand_as(pred.joints).float())
    same_gender = torch.from_numpy(test.gender[test.frame]) == 0
    assert (pred.theta[same_gender] - pred.theta[same_gender][0]).abs().max() < 1e-6


def test_objects_never_seen_get_the_mean_over_all(bodies, template_kpts):
    train, test = targets(0), targets(5)
    test = replace(test, object_id=np.full(6, 11))
    everyone = constant(train, test, bodies, template_kpts)
    per_object = constant_per_object(train, test, bodies, template_kpts)
    torch.testing.assert_close(per_object.kpts, everyone.kpts)
    seen = replace(test, object_id=np.full(6, 1))
    assert (constant_per_object(train, seen, bodies, template_kpts).kpts - everyone.kpts).abs().max() > 0.01


def test_perfect_is_the_truth():
    test = targets(3)
    pred = perfect(test)
    np.testing.assert_array_equal(pred.theta[:, 0].numpy(), test.root_R)
    np.testing.assert_array_equal(pred.theta[:, 1:].numpy(), test.theta[test.frame][:, 1:])
    np.testing.assert_array_equal(pred.trans.numpy(), test.trans)
    np.testing.assert_array_equal(pred.obj_R.numpy(), test.obj_R)
