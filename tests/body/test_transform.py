import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.transform import change_camera
from rhobin.geometry.camera import extrinsics
from rhobin.types import Camera


def _cameras():
    """Four cameras around a room, each a quarter turn apart and tilted, as BEHAVE's; then any direction."""
    rng = np.random.default_rng(0)
    for k in range(4):
        R = Rotation.from_euler("yxz", [90 * k, 20, 3], degrees=True)
        yield Camera(np.eye(3), R.as_matrix(), R.apply([0.3, -0.2, -2.5]) + np.array([0, 0, 2.5]), 640, 480)
    for R in Rotation.random(8, rng=rng):
        yield Camera(np.eye(3), R.as_matrix(), rng.normal(size=3), 640, 480)


@pytest.fixture
def scene(body, pose):
    theta, beta, trans = pose(3)
    return body, theta, beta, trans, body(theta, beta, trans).verts


@pytest.mark.parametrize("camera", list(_cameras()))
def test_vertices_move_as_the_camera_does(scene, camera):
    body, theta, beta, trans, verts = scene
    R, t = (torch.from_numpy(x) for x in extrinsics(camera))
    moved = theta.clone()
    moved[:, 0], shift = change_camera(theta[:, 0], trans, body.rest_joints(beta)[:, 0], R, t)
    torch.testing.assert_close(body(moved, beta, shift).verts, verts @ R.mT + t, rtol=0, atol=1e-12)


def _error_mm(scene, camera, pelvis):
    """How far the vertices land from where they belong when `pelvis` stands in for J0(beta)."""
    body, theta, beta, trans, verts = scene
    R, t = (torch.from_numpy(x) for x in extrinsics(camera))
    moved = theta.clone()
    moved[:, 0], shift = change_camera(theta[:, 0], trans, pelvis, R, t)
    return 1000 * (body(moved, beta, shift).verts - (verts @ R.mT + t)).norm(dim=-1).max().item()


@pytest.mark.parametrize("camera", list(_cameras())[1:4])
def test_dropping_the_pelvis_offset_is_a_visible_fault(scene, camera):
    """Moving the translation like a point displaces the body, and a test must see it."""
    body, _, beta, *_ = scene
    pelvis = body.rest_joints(beta)[:, 0]
    assert _error_mm(scene, camera, pelvis) < 1e-9
    assert _error_mm(scene, camera, torch.zeros_like(pelvis)) > 50
    assert _error_mm(scene, camera, body.rest_joints(torch.zeros_like(beta))[:, 0]) > 0.5


def test_one_rotation_per_body_and_back_again(scene):
    body, theta, beta, trans, _ = scene
    R = torch.from_numpy(Rotation.random(3, rng=np.random.default_rng(1)).as_matrix())
    t = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    pelvis = body.rest_joints(beta)[:, 0]
    there = change_camera(theta[:, 0], trans, pelvis, R, t)
    back = change_camera(*there, pelvis, R.mT, -(R.mT @ t[..., None]).squeeze(-1))
    torch.testing.assert_close(back[0], theta[:, 0], rtol=0, atol=1e-12)
    torch.testing.assert_close(back[1], trans, rtol=0, atol=1e-12)
