import copy

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.ik import hybrik
from rhobin.body.joints import SMPLH_MIRROR
from rhobin.body.transform import (
    change_camera,
    flip_parameters,
    flip_points,
    flip_twist,
    flip_weight,
    in_plane_rotation,
)
from rhobin.body.twist import twist_targets
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


@pytest.fixture
def symmetric_body(body):
    """The stand-in's joints made exactly symmetric: a body that has a mirror image."""
    twin = copy.deepcopy(body)
    sign = torch.tensor([-1.0, 1, 1]).double()
    for name, mirror in (("joint", SMPLH_MIRROR), ("leaf", (0, 2, 1, 4, 3))):
        for part in ("template", "shapedirs"):
            value = getattr(twin, f"{name}_{part}")
            image = value[list(mirror)] * (sign if value.ndim == 2 else sign[:, None])
            setattr(twin, f"{name}_{part}", (value + image) / 2)
    return twin


def test_a_mirrored_body_has_mirrored_joints_and_twists(symmetric_body, pose):
    body, (theta, beta, trans) = symmetric_body, pose(4)
    rest, pelvis = body.rest29(beta), body.rest_joints(beta)[:, 0]
    image, shift = flip_parameters(theta, trans, pelvis)
    posed, mirrored = body.kinematics(theta, beta, trans), body.kinematics(image, beta, shift)
    torch.testing.assert_close(mirrored.joints, flip_points(posed.joints), rtol=0, atol=1e-12)
    joints29 = flip_points(body.joints29(posed, beta))
    torch.testing.assert_close(body.joints29(mirrored, beta), joints29, rtol=0, atol=1e-12)
    twist, weight = twist_targets(theta, rest)
    expected, expected_weight = twist_targets(image, rest)
    torch.testing.assert_close(flip_twist(twist), expected, rtol=0, atol=1e-9)
    assert torch.equal(flip_weight(weight), expected_weight)
    found = hybrik(joints29, rest, flip_twist(twist), image[:, 22:])
    torch.testing.assert_close(found, image, rtol=0, atol=1e-9)


def test_flipping_twice_is_nothing(body, pose):
    theta, beta, trans = pose(2)
    pelvis = body.rest_joints(beta)[:, 0]
    once = flip_parameters(theta, trans, pelvis)
    assert (once[0] - theta).abs().max() > 0.1
    twice = flip_parameters(*once, pelvis)
    torch.testing.assert_close(twice, (theta, trans), rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="24, 29 or 52"):
        flip_points(torch.zeros(5, 3))


def test_an_image_turns_as_its_parameters_do(scene):
    body, theta, beta, trans, verts = scene
    angle = torch.tensor([0.3, -1.0, 2.0]).double()
    turn = in_plane_rotation(angle)
    moved = theta.clone()
    zero = torch.zeros(3).double()
    moved[:, 0], shift = change_camera(theta[:, 0], trans, body.rest_joints(beta)[:, 0], turn, zero)
    pixels = verts[..., :2] / verts[..., 2:]
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    x, y = pixels.unbind(-1)
    turned = torch.stack((cos * x - sin * y, sin * x + cos * y), dim=-1)
    posed = body(moved, beta, shift).verts
    torch.testing.assert_close(posed[..., :2] / posed[..., 2:], turned, rtol=1e-6, atol=1e-6)
    rest = body.rest29(beta)
    torch.testing.assert_close(twist_targets(moved, rest)[0], twist_targets(theta, rest)[0])
