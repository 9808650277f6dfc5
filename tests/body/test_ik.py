from functools import partial

import numpy as np
import pytest
import torch
from conditioning import ADDED, allowed, largest

from rhobin.body.ik import hybrik, limb_rotations, root_rotation
from rhobin.body.twist import twist_targets
from rhobin.geometry.rotation import geodesic_angle, rotvec_to_rotmat

DEGREE = np.pi / 180
FLAT = torch.eye(3, dtype=torch.float64).expand(30, 3, 3)


def _problem(body, theta, beta, trans):
    joints = body.joints29(body.kinematics(theta, beta, trans), beta)
    rest = body.rest29(beta)
    return joints, rest, twist_targets(theta, rest)[0]


def _is_proper(R, tolerance=1e-6):
    identity = torch.eye(3, dtype=R.dtype)
    assert (R @ R.mT - identity).abs().max() < tolerance
    assert (torch.linalg.det(R) - 1).abs().max() < tolerance


@pytest.mark.parametrize(("dtype", "degrees"), [(torch.float64, 1e-6), (torch.float32, 0.05)])
@pytest.mark.parametrize("spread", [0.0, 1e-4, 0.3, 1.0, 1.8])
def test_inverse_kinematics_undo_forward_kinematics(bodies, pose, dtype, degrees, spread):
    for model in bodies:
        theta, beta, trans = pose(40, spread=spread)
        joints, rest, twist = (x.to(dtype) for x in _problem(model, theta, beta, trans))
        found = hybrik(joints, rest, twist, theta[:, 22:].to(dtype))
        error = geodesic_angle(found.double(), theta)
        if dtype is torch.float32:  # a wrist tends to a half turn at times; its twist is then ill-defined
            assert error.median() < degrees * DEGREE
            error = error.quantile(0.999)
        assert error.max() < degrees * DEGREE
        posed = model.kinematics(found.double(), beta, trans)
        assert (model.joints29(posed, beta) - joints).norm(dim=-1).max() < (
            1e-9 if dtype is torch.float64 else 1e-4
        )


def test_hands_are_taken_as_given(body, pose):
    theta, beta, trans = pose(3)
    problem = _problem(body, theta, beta, trans)
    one_set = hybrik(*problem, FLAT)
    torch.testing.assert_close(one_set[:, 22:], FLAT.expand(3, 30, 3, 3))
    torch.testing.assert_close(one_set[:, :22], theta[:, :22], rtol=0, atol=1e-9)
    torch.testing.assert_close(hybrik(*problem, theta[:, 22:]), theta, rtol=0, atol=1e-9)


def test_origin_and_twist_length_do_not_matter(body, pose):
    theta, beta, trans = pose(3)
    joints, rest, twist = _problem(body, theta, beta, trans)
    expected = hybrik(joints, rest, twist, FLAT)
    moved = hybrik(joints + 5, rest - 2, 0.01 * twist, FLAT)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-9)


def test_the_consistent_skeletons_of_hybrik_are_solved(oracle):
    """All tags: rest, tiny, large twists, swings up to 179.5 degrees, half-turn global rotations."""
    reference = oracle("hybrik_ik")
    joints, rest, twist, expected = (
        torch.from_numpy(reference[key])
        for key in ("consistent/pose_skeleton", "rest_joints29", "consistent/phis", "rot_mats_gt")
    )

    def solve(joints, rest, twist):
        return limb_rotations(root_rotation(joints, rest), joints, rest, twist)

    limit = allowed(solve, joints, rest, twist, torch.float32)  # in which the skeletons were recorded
    assert limit.median() < 0.05 * DEGREE
    for dtype in (torch.float64, torch.float32):
        found = solve(*(x.to(dtype) for x in (joints, rest, twist))).double()
        assert (geodesic_angle(found, expected).amax(1) < limit).all()


def test_limbs_equal_hybriks_naive_solver_on_noisy_skeletons(oracle, smpl24):
    """Given its root rotation, since ours uses the hips better."""
    reference = oracle("hybrik_ik")
    joints, twist, beta, expected = (
        torch.from_numpy(reference[f"noisy/{key}"])
        for key in ("pose_skeleton", "phis", "betas", "naive/rot_mats")
    )
    solve = partial(limb_rotations, expected[:, 0])
    problem = joints, smpl24.rest29(beta), twist
    limit = allowed(solve, *problem, torch.float64, ADDED)
    assert (largest(solve(*problem) - expected) < limit).all()
    assert limit.median() < 2e-3


def _mean_hip_root(joints, rest):
    """HybrIK's training rule: the spine, then the mean of the hips about it."""
    frames = []
    for x in (joints, rest):
        spine = torch.nn.functional.normalize(x[:, 3] - x[:, 0], dim=-1)
        hips = (x[:, 1] + x[:, 2]) / 2 - x[:, 0]
        across = torch.nn.functional.normalize(hips - (hips * spine).sum(-1, keepdim=True) * spine, dim=-1)
        frames.append(torch.stack((spine, across, torch.linalg.cross(spine, across)), dim=-1))
    return frames[0] @ frames[1].mT


def test_the_root_is_steadier_than_the_mean_hip_rule(body, pose):
    theta, beta, trans = pose(200, spread=0.5)
    joints, rest, _ = _problem(body, theta, beta, trans)
    torch.testing.assert_close(_mean_hip_root(joints, rest), theta[:, 0], rtol=0, atol=1e-9)
    noise = torch.randn(joints.shape, dtype=joints.dtype, generator=torch.Generator().manual_seed(0))
    ours, theirs = (
        geodesic_angle(rule(joints + 0.003 * noise, rest), theta[:, 0]).mean() / DEGREE
        for rule in (root_rotation, _mean_hip_root)
    )
    assert ours < 3
    assert theirs > 3 * ours


def _degenerate(body):
    beta = torch.zeros(1, 10, dtype=torch.float64)
    rest = body.rest29(beta)
    collapsed, forearm, on_line, folded = (rest.clone() for _ in range(4))
    collapsed[:] = 0
    forearm[:, 20] = forearm[:, 18]
    on_line[:, 1:4] = on_line[:, :1] + torch.tensor([[[0, -0.1, 0], [0, -0.2, 0], [0, 0.1, 0]]])
    folded[:, 20] = 2 * folded[:, 18] - folded[:, 20]  # left forearm exactly reversed
    return rest, {
        "collapsed": collapsed,
        "forearm": forearm,
        "on_line": on_line,
        "folded": folded,
        "mirrored": 2 * rest[:, :1] - rest,
    }


@pytest.mark.parametrize("name", ["collapsed", "forearm", "on_line", "folded", "mirrored"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("twisted", [True, False])
def test_degenerate_skeletons_give_proper_rotations_and_finite_gradients(body, name, dtype, twisted):
    rest, skeletons = _degenerate(body)
    rest, joints = rest.to(dtype).requires_grad_(), skeletons[name].to(dtype).requires_grad_()
    twist = torch.zeros(1, 23, 2, dtype=dtype)
    twist[..., 0] = float(twisted)
    twist.requires_grad_()
    theta = hybrik(joints, rest, twist, FLAT.to(dtype))
    _is_proper(theta, 1e-5)
    theta.square().sum().backward()
    for x in (rest, joints, twist):
        assert torch.isfinite(x.grad).all()


def test_a_reversed_forearm_still_reaches_its_joint(body):
    rest, skeletons = _degenerate(body)
    theta = hybrik(skeletons["folded"], rest, torch.tensor([1.0, 0]).double().expand(1, 23, 2), FLAT)
    zero = torch.zeros(1, 10, dtype=torch.float64)
    posed = body.kinematics(theta, zero, zero[:, :3])
    torch.testing.assert_close(posed.joints[:, 20], skeletons["folded"][:, 20], rtol=0, atol=1e-9)


def test_gradients_equal_finite_differences(body, pose):
    problem = _problem(body, *pose(2))
    inputs = tuple(x.detach().requires_grad_() for x in problem)
    assert torch.autograd.gradcheck(lambda *x: hybrik(*x, FLAT), inputs, fast_mode=True, atol=1e-4)


def test_the_zero_pose_has_a_gradient_for_every_joint_that_steers_a_bone(body):
    """Training starts near the rest pose: swings must not lose their gradient there."""
    beta = torch.zeros(1, 10, dtype=torch.float64)
    rest = body.rest29(beta)
    joints = rest.clone().requires_grad_()
    theta = hybrik(joints, rest, torch.tensor([1.0, 0]).double().expand(1, 23, 2), FLAT)
    tilt = rotvec_to_rotmat(torch.full((1, 52, 3), 0.2, dtype=torch.float64))
    (theta * tilt).sum().backward()
    steering = [j for j in range(29) if j not in (22, 23, 25, 26)]  # hands keep their own rotation
    assert (joints.grad[0, steering].norm(dim=-1) > 1e-3).all()
