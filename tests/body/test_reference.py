"""The solver against recorded output of HybrIK's own code: `compatible` reproduces it, the default agrees."""

from functools import partial

import numpy as np
import pytest
import roma
import torch
from conditioning import ADDED, allowed, largest
from scipy.spatial.transform import Rotation

from rhobin.body.ik import hybrik24
from rhobin.body.transform import (
    change_camera,
    flip_parameters,
    flip_points,
    flip_twist,
    flip_weight,
    in_plane_rotation,
)
from rhobin.geometry.rotation import geodesic_angle, rotmat_to_quat, rotvec_to_rotmat

DEGREE = np.pi / 180
MODES = [("adaptive", True), ("naive", False)]
DTYPES = (torch.float64, torch.float32)
CHAIN = 2.0  # metres; no chain of bones is longer


@pytest.fixture
def solved(oracle, smpl24):
    """``solved(part, dtype=float64) -> joints, rest, twist`` of the recorded problems."""
    recorded = oracle("hybrik_ik")

    def problem(part, dtype=torch.float64):
        beta = recorded["betas" if part == "consistent" else "noisy/betas"]
        rest = smpl24.rest29(torch.from_numpy(beta))
        joints, twist = (torch.from_numpy(recorded[f"{part}/{key}"]) for key in ("pose_skeleton", "phis"))
        return joints.to(dtype), rest.to(dtype), twist.to(dtype)

    return problem


def exact(adaptive, ends=None):
    """The solver whose condition numbers say how far correct ones may differ."""
    root = "fit" if adaptive else "spine"
    return lambda joints, rest, twist: hybrik24(joints, rest, twist, ends, adaptive=adaptive, root=root)


@pytest.mark.parametrize(("mode", "adaptive"), MODES)
@pytest.mark.parametrize("part", ["consistent", "noisy"])
def test_compatible_reproduces_the_reference(oracle, smpl24, solved, part, mode, adaptive):
    recorded = oracle("hybrik_ik")
    expected = torch.from_numpy(recorded[f"{part}/{mode}/rot_mats"])
    found = hybrik24(*solved(part), adaptive=adaptive, compatible=True)
    limits = [allowed(exact(adaptive), *solved(part), dtype, naive=not adaptive) for dtype in DTYPES]
    assert (largest(found - expected) < limits[0]).all()
    assert limits[0].median() < 1e-9
    beta = torch.from_numpy(recorded["betas" if part == "consistent" else "noisy/betas"])
    posed = smpl24(found, beta, torch.zeros(len(beta), 3, dtype=torch.float64))
    regressor = torch.from_numpy(oracle("smpl24_neutral")["J_regressor_h36m"])
    for name, points in (
        ("joints", posed.joints - posed.joints[:, :1]),
        ("vertices", posed.verts - (regressor @ posed.verts)[:, :1]),
    ):
        difference = points - torch.from_numpy(recorded[f"{part}/{mode}/{name}"])
        assert difference[limits[0] < 1e-6].norm(dim=-1).max() < 1e-4
    single = hybrik24(*solved(part, torch.float32), adaptive=adaptive, compatible=True)
    assert (largest(single.double() - expected) < limits[1]).all()
    assert limits[1].median() < 0.02


@pytest.mark.parametrize(("mode", "adaptive"), MODES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("part", ["consistent", "noisy"])
def test_the_exact_solver_agrees_with_the_reference(oracle, smpl24, solved, part, mode, adaptive, dtype):
    recorded = oracle("hybrik_ik")
    expected = torch.from_numpy(recorded[f"{part}/{mode}/rot_mats"])
    found = exact(adaptive)(*solved(part, dtype)).double()
    limit = allowed(exact(adaptive), *solved(part), dtype, ADDED, naive=not adaptive)
    assert (largest(found - expected) < limit).all()
    assert limit.median() < 0.02
    beta = torch.from_numpy(recorded["betas" if part == "consistent" else "noisy/betas"])
    posed = smpl24(found, beta, torch.zeros(len(beta), 3, dtype=torch.float64))
    joints = posed.joints - posed.joints[:, :1]
    recorded_joints = torch.from_numpy(recorded[f"{part}/{mode}/joints"])
    assert ((joints - recorded_joints).norm(dim=-1).amax(1) < CHAIN * limit).all()


def test_consistent_skeletons_give_the_true_rotations(oracle, solved):
    expected = torch.from_numpy(oracle("hybrik_ik")["rot_mats_gt"])
    problem = solved("consistent")
    for adaptive in (True, False):
        solve = partial(hybrik24, adaptive=adaptive)
        limit = allowed(solve, *problem, torch.float32)  # in which the skeletons were recorded
        assert limit.median() < 0.05 * DEGREE
        for dtype in DTYPES:
            found = solve(*solved("consistent", dtype)).double()
            assert (geodesic_angle(found, expected).amax(1) < limit).all()


def test_end_rotations_replace_the_leaves(oracle, solved):
    recorded = oracle("hybrik_edge")
    quat = torch.from_numpy(recorded["leaf24/leaf_quat_wxyz"])
    quat = quat / quat.norm(dim=-1, keepdim=True)
    ends = roma.unitquat_to_rotmat(quat[..., [1, 2, 3, 0]])
    joints, rest, twist = solved("consistent")
    expected = torch.from_numpy(recorded["leaf24/rot_mats"])
    found = hybrik24(joints[:, :24], rest[:, :24], twist, ends, adaptive=True, compatible=True)
    problem, solve = (joints[:, :24], rest[:, :24], twist), exact(True, ends)
    limit = allowed(solve, *problem, torch.float32)
    assert (largest((found - expected)[:, :23]) < limit).all()
    ours = solve(*problem)
    assert (largest((ours - expected)[:, :23]) < allowed(solve, *problem, torch.float32, ADDED)).all()
    assert limit.median() < 1e-3
    torch.testing.assert_close(ours[:, [10, 11, 15, 22, 23]], ends, rtol=0, atol=0)
    with pytest.raises(ValueError, match="found 24"):
        hybrik24(joints[:, :24], rest[:, :24], twist)


@pytest.mark.parametrize("run", ["eval_adaptive", "eval_naive", "train"])
def test_compatible_gradients_equal_the_reference(oracle, smpl24, run):
    recorded, noisy = oracle("hybrik_grad"), oracle("hybrik_ik")
    index = torch.from_numpy(recorded["sample_index"])
    joints, twist, beta = (
        torch.from_numpy(noisy[f"noisy/{key}"])[index].requires_grad_()
        for key in ("pose_skeleton", "phis", "betas")
    )
    adaptive = run == "eval_adaptive"
    theta = hybrik24(joints, smpl24.rest29(beta), twist, adaptive=adaptive, compatible=True)
    posed = smpl24.kinematics(theta, beta, torch.zeros(len(beta), 3, dtype=torch.float64)).joints
    posed = posed - posed[:, :1].detach()
    loss = (theta * torch.from_numpy(recorded["weight_rot_mats"])).sum()
    loss = loss + (posed * torch.from_numpy(recorded["weight_joints"])).sum()
    assert loss.item() == pytest.approx(recorded[f"{run}/loss"].item(), rel=1e-9)
    grads = torch.autograd.grad(loss, (joints, beta, twist), allow_unused=True)
    for name, grad in zip(("skeleton", "betas", "phis"), grads, strict=True):
        assert (grad is None) == bool(recorded[f"{run}/grad_{name}_is_none"])
        expected = torch.from_numpy(recorded[f"{run}/grad_{name}"])
        if grad is not None:
            assert (grad - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_references_failures_are_not_ours(oracle, smpl24, adaptive, dtype):
    """All-zero, exactly reversed, zero-length and point-reflected skeletons."""
    edge = oracle("hybrik_edge")
    joints, beta, twist = (
        torch.from_numpy(edge[key]).to(dtype) for key in ("pose_skeleton", "betas", "phis")
    )
    rest = smpl24.rest29(beta.double()).to(dtype)
    joints.requires_grad_()
    theta = hybrik24(joints, rest, twist, adaptive=adaptive)
    identity = torch.eye(3, dtype=dtype)
    assert (theta @ theta.mT - identity).abs().max() < 1e-5
    theta.square().sum().backward()
    assert torch.isfinite(joints.grad).all()


def test_flips_and_turns_of_the_labels(oracle):
    data = oracle("hybrik_data")
    tensor = {key: torch.from_numpy(np.asarray(value, dtype=np.float64)) for key, value in data.items()
              if value.dtype.kind == "f"}  # fmt: skip
    zero = torch.zeros(3, dtype=torch.float64)
    torch.testing.assert_close(flip_points(tensor["xyz29"]), tensor["flip_xyz29"])
    theta = rotvec_to_rotmat(tensor["theta"])
    flipped, _ = flip_parameters(theta, zero, zero)
    torch.testing.assert_close(flipped, rotvec_to_rotmat(tensor["flip_theta"]))
    torch.testing.assert_close(flip_twist(tensor["twist"]), tensor["flip_twist"])
    torch.testing.assert_close(flip_weight(tensor["twist_w"].T).T, tensor["flip_twist_w"])
    turn = in_plane_rotation(-torch.deg2rad(tensor["rot_deg"][1]))
    torch.testing.assert_close(tensor["xyz29"] @ turn.mT, tensor["rotate_xyz29_by_rot1"])
    root, _ = change_camera(theta[0], zero, zero, turn, zero)
    torch.testing.assert_close(root, rotvec_to_rotmat(tensor["rot_aa_theta0_rot1"]))


def test_rotation_conversions(oracle):
    recorded = oracle("hybrik_rotations")
    rotvec = torch.from_numpy(recorded["rotvec"])
    np.testing.assert_allclose(rotvec_to_rotmat(rotvec), recorded["rotmat"], atol=1e-12)
    np.testing.assert_allclose(rotvec_to_rotmat(rotvec), recorded["batch_rodrigues"], atol=1e-7)
    quat = rotmat_to_quat(torch.from_numpy(recorded["rotmat"])).numpy()
    angle = np.abs((quat * recorded["rotmat_to_quat_wxyz_f32"]).sum(1))
    assert angle.min() > 1 - 2e-6
    quat = recorded["quat_wxyz"]
    np.testing.assert_allclose(
        Rotation.from_quat(quat[:, [1, 2, 3, 0]]).as_matrix(), recorded["quat_to_rotmat"]
    )
