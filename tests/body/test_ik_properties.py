"""Properties of forward and inverse kinematics over drawn poses, limbs folded almost back included."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rhobin.body.ik import hybrik, hybrik24, limb_rotations, matching_twists
from rhobin.body.joints import CHILD29, JOINTS24
from rhobin.body.load import load_body
from rhobin.body.twist import twist_targets
from rhobin.geometry.rotation import geodesic_angle, perpendicular, rotvec_to_rotmat, unit

BODY, SINGLE = load_body("female", dtype=torch.float64), load_body("female")
LIMBS = {"knee": 4, "elbow": 19, "shoulder": 16, "hip": 2, "neck": 12, "ankle": 7}
quick = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**31)


def _pose(seed, spread, batch=2):
    rng = np.random.default_rng(seed)
    theta = rotvec_to_rotmat(torch.from_numpy(rng.normal(scale=spread, size=(batch, 52, 3))))
    return theta, torch.from_numpy(rng.normal(size=(batch, 10))), rng


def _fold(theta, rest, limb, degrees, rng):
    """One limb swung by so many degrees about any axis across its bone, twisted at will."""
    joint = LIMBS[limb]
    bone = unit(rest[:, CHILD29[joint]] - rest[:, joint])
    angle = torch.from_numpy(rng.uniform(-np.pi, np.pi, size=(2, len(theta))))
    across = rotvec_to_rotmat(angle[0, :, None] * bone) @ perpendicular(bone)[..., None]
    swing = rotvec_to_rotmat(across.squeeze(-1) * np.radians(degrees))
    theta[:, JOINTS24[joint]] = swing @ rotvec_to_rotmat(angle[1, :, None] * bone)
    return theta


def _problem(theta, beta):
    rest = BODY.rest29(beta)
    joints = BODY.joints29(BODY.kinematics(theta, beta, torch.zeros(len(beta), 3).double()), beta)
    twist, weight = twist_targets(theta, rest)
    return joints, rest, twist, weight


angles = st.one_of(st.floats(0, 175), st.floats(175, 179.9), st.just(179.9))
folds = {
    "seed": seeds,
    "spread": st.floats(0, 0.7),
    "limb": st.sampled_from(sorted(LIMBS)),
    "degrees": angles,
    "adaptive": st.booleans(),
}


@quick
@given(**folds)
def test_inverse_after_forward_is_the_identity(seed, spread, limb, degrees, adaptive):
    theta, beta, rng = _pose(seed, spread)
    theta = _fold(theta, BODY.rest29(beta), limb, degrees, rng)
    joints, rest, twist, weight = _problem(theta, beta)
    found = hybrik(joints, rest, twist, theta[:, 22:], adaptive=adaptive, knuckles=True)
    defined = weight.all(1)
    error = geodesic_angle(found, theta)[defined]
    assert error.numel() == 0 or error.max() < 1e-9


@quick
@given(**folds, metres=st.sampled_from([0, 3]), root=st.sampled_from(["fit", "spine"]))
def test_inverse_after_forward_is_the_identity_in_single_precision(
    seed, spread, limb, degrees, adaptive, metres, root
):
    """All in float32, metres from the origin, with twists measured against the rounded joints."""
    theta, beta, rng = _pose(seed, spread)
    theta = _fold(theta, BODY.rest29(beta), limb, degrees, rng).float()
    beta, trans = beta.float(), torch.full((2, 3), metres + 0.1)
    rest, joints = SINGLE.rest29(beta), SINGLE.joints29(SINGLE.kinematics(theta, beta, trans), beta)
    twist = matching_twists(theta, joints, rest, adaptive=adaptive, root=root)
    found = hybrik(joints, rest, twist, theta[:, 22:], adaptive=adaptive, knuckles=True, root=root)
    assert geodesic_angle(found.double(), theta.double()).max() < (1e-4 if root == "spine" else 2e-5)
    assert (found @ found.mT - torch.eye(3)).abs().max() < 1e-6
    posed = SINGLE.joints29(SINGLE.kinematics(found, beta, trans), beta)
    assert (posed - joints).norm(dim=-1).max() < 1e-5


@quick
@given(**folds)
def test_twists_of_the_rotations_alone_fit_rounded_joints_up_to_their_condition(
    seed, spread, limb, degrees, adaptive
):
    """The swing's axis turns 1 / cos(swing / 2) times as far as the bone that rounding moves."""
    theta, beta, rng = _pose(seed, min(spread, 0.3))
    theta = _fold(theta, BODY.rest29(beta), limb, degrees, rng)
    joints, rest, twist, weight = _problem(theta, beta)
    inputs = (x.float() for x in (joints, rest, twist, theta[:, 22:]))
    found = hybrik(*inputs, adaptive=adaptive, knuckles=True)
    error = geodesic_angle(found.double(), theta)[weight.all(1)]
    allowed = 1e-4 if degrees <= 175 else 4e-6 / np.cos(np.radians(degrees) / 2)
    assert error.numel() == 0 or error.max() < allowed
    assert (found @ found.mT - torch.eye(3)).abs().max() < 1e-6


def test_joints_and_twists_in_single_precision_do_not_tell_rotations_at_179_9_degrees():
    """Two poses 2e-4 rad apart have one set of numbers: no solver is within 1e-4 rad of both."""
    theta, beta, _ = _pose(0, 0.3, batch=400)
    bone = unit(BODY.rest29(beta)[:, 24] - BODY.rest29(beta)[:, 15])
    skeletons, rotations = [], []
    for turned in (0.0, 1.2e-4):
        angle = torch.full((400,), turned).double()
        axis = rotvec_to_rotmat(angle[:, None] * bone) @ perpendicular(bone)[..., None]
        theta[:, 15] = rotvec_to_rotmat(axis.squeeze(-1) * np.radians(179.9))
        joints, _, twist, weight = _problem(theta, beta)
        skeletons.append((joints + 2).float())  # a person 3.5 m from the camera
        rotations.append(theta[:, 15].clone())
        assert weight[:, 14].all()
        torch.testing.assert_close(twist[:, 14], torch.tensor([1.0, 0]).double().expand(400, 2))
    same = (skeletons[0] == skeletons[1]).flatten(1).all(1)
    assert same.sum() > 10
    assert geodesic_angle(*rotations)[same].min() > 2.3e-4


def _degenerate(kind, rng, rest):
    joints = rest.clone() + torch.from_numpy(rng.normal(scale=0.02, size=rest.shape))
    if kind == "zero bones":
        for joint in rng.choice(24, size=6, replace=False):
            if CHILD29[joint] >= 0:
                joints[:, CHILD29[joint]] = joints[:, joint]
    elif kind == "collinear":
        joints = joints[:, :1] + torch.from_numpy(rng.normal(size=(29, 1))) * torch.tensor([0.2, -0.1, 0.3])
        joints = joints.expand(rest.shape).clone()
    elif kind == "antiparallel":
        joints = 2 * rest[:, :1] - rest
    elif kind == "all equal":
        joints = torch.full_like(rest, float(rng.normal()))
    elif kind == "huge":
        joints = joints * 1e6
    elif kind == "tiny":
        joints = joints * 1e-9
    return joints


@quick
@given(
    seed=seeds,
    kind=st.sampled_from(["zero bones", "collinear", "antiparallel", "all equal", "huge", "tiny"]),
    adaptive=st.booleans(),
    root=st.sampled_from(["fit", "spine"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    no_twist=st.booleans(),
    no_rest=st.booleans(),
)
def test_degenerate_skeletons_stay_proper_and_differentiable(
    seed, kind, adaptive, root, dtype, no_twist, no_rest
):
    _, beta, rng = _pose(seed, 0.1)
    rest = BODY.rest29(beta)
    joints = _degenerate(kind, rng, rest).to(dtype).requires_grad_()
    if no_rest:
        rest[:, 20] = rest[:, 18]
    rest = rest.to(dtype).requires_grad_()
    twist = torch.from_numpy(rng.normal(size=(2, 23, 2)) * (not no_twist)).to(dtype).requires_grad_()
    theta = hybrik24(joints, rest, twist, adaptive=adaptive, root=root)
    assert (theta @ theta.mT - torch.eye(3, dtype=dtype)).abs().max() < 1e-5
    assert (torch.linalg.det(theta) - 1).abs().max() < 1e-4
    (theta * torch.from_numpy(rng.normal(size=theta.shape)).to(dtype)).sum().backward()
    for x in (joints, rest, twist):
        assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("root", ["fit", "spine"])
def test_gradients_equal_finite_differences(adaptive, root):
    theta, beta, rng = _pose(3, 0.4)
    joints, rest, twist, _ = _problem(theta, beta)
    joints = joints + torch.from_numpy(rng.normal(scale=0.002, size=joints.shape))
    inputs = tuple(x.detach().requires_grad_() for x in (joints, rest, twist))

    def solve(*x):
        return hybrik24(*x, adaptive=adaptive, root=root)

    assert torch.autograd.gradcheck(solve, inputs, fast_mode=True, atol=1e-4)


def test_the_switch_keeps_gradients_from_the_joints():
    joints, rest, twist, _ = _problem(*_pose(1, 0.3)[:2])
    for detach in (True, False):
        joints.requires_grad_()
        theta = hybrik24(joints, rest, twist.clone().requires_grad_(), detach=detach)
        (grad,) = torch.autograd.grad(theta[:, 1:].square()[..., 0].sum(), joints, allow_unused=True)
        assert (grad is None) == detach


def test_the_guard_takes_the_naive_bone_beyond_15_millimetres():
    theta, beta, _ = _pose(5, 0.2)
    joints, rest, twist, _ = _problem(theta, beta)
    for shift, equal in ((0.005, False), (0.2, True)):
        moved = joints.clone()
        moved[:, 18:] += shift * unit(joints[:, 18:19] - joints[:, 16:17])  # a longer upper arm
        naive, adaptive = (hybrik24(moved, rest, twist, adaptive=mode) for mode in (False, True))
        same = (naive - adaptive)[:, 18].abs().max() < 1e-9
        assert bool(same) == equal


def test_adaptive_bones_do_not_add_up_their_errors():
    theta, beta, rng = _pose(7, 0.3, batch=64)
    joints, rest, twist, _ = _problem(theta, beta)
    noisy = joints + torch.from_numpy(rng.normal(scale=0.004, size=joints.shape))
    errors = []
    for adaptive in (False, True):
        found = hybrik(noisy, rest, twist, theta[:, 22:], adaptive=adaptive)
        posed = BODY.kinematics(found, beta, torch.zeros(64, 3).double()).joints
        pelvis = posed[:, :1] - noisy[:, :1]
        errors.append((posed - pelvis)[:, [20, 21, 7, 8]].sub(noisy[:, [20, 21, 7, 8]]).norm(dim=-1).mean())
    assert errors[1] < 0.85 * errors[0]


def test_any_batch_shape_and_mixed_precision():
    joints, rest, twist, _ = _problem(*_pose(4, 0.3, batch=6)[:2])
    expected = hybrik(joints, rest, twist)
    for shape in ((2, 3), (6, 1)):
        found = hybrik(*(x.reshape(*shape, *x.shape[1:]) for x in (joints, rest, twist)))
        torch.testing.assert_close(found.reshape(expected.shape), expected)
    torch.testing.assert_close(hybrik(joints[0], rest[0], twist[0]), expected[0])
    with torch.autocast("cpu", torch.bfloat16):
        inside = hybrik(joints.float(), rest.float(), twist.float())
    torch.testing.assert_close(inside, hybrik(joints.float(), rest.float(), twist.float()), rtol=0, atol=0)


def test_results_without_gradients_are_ordinary_tensors_and_forward_mode_works():
    joints, rest, twist, _ = _problem(*_pose(6, 0.3)[:2])
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    found = hybrik24(joints, rest, twist, adaptive=True)
    (scale * found).sum().backward()
    torch.testing.assert_close(scale.grad, found.sum()[None])
    moved = torch.randn(joints.shape, dtype=joints.dtype, generator=torch.Generator().manual_seed(0))

    def solve(x):
        return limb_rotations(found[:, 0], x, rest, twist, adaptive=True)

    slope = torch.func.jvp(solve, (joints,), (moved,))[1]
    near = (solve(joints + 1e-6 * moved) - solve(joints - 1e-6 * moved)) / 2e-6
    torch.testing.assert_close(slope, near, rtol=1e-4, atol=1e-6)
