import math

import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation

from rhobin.geometry.rotation import (
    geodesic_angle,
    project_to_so3,
    rotmat_to_quat,
    rotmat_to_rotvec,
    rotvec_to_rotmat,
)

ANGLES = (0.0, 1e-8, 1e-5, 9e-4, 0.1, 1, 2, 3)
PRECISION = {torch.float32: 2e-6, torch.float64: 1e-14}


def _vectors(count, seed=0, dtype=torch.float64):
    return torch.randn(count, 3, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _rotvecs():
    """Random axes at every kind of angle: zero, tiny, ordinary, near pi, pi, several turns."""
    angles = [0, 1e-12, 1e-8, 1e-5, 9e-4, 1.1e-3, 0.1, 1, 3, math.pi - 1e-3, math.pi - 1e-6, math.pi, 4, 20]
    axes = torch.nn.functional.normalize(_vectors(len(angles)), dim=-1)
    special = math.pi * torch.cat((torch.eye(3), -torch.eye(3))).double()
    return torch.cat((axes * torch.tensor(angles, dtype=torch.float64)[:, None], special))


def _is_rotation(R, tolerance):
    identity = torch.eye(3, dtype=R.dtype)
    assert (R @ R.mT - identity).abs().max() < tolerance
    assert (torch.linalg.det(R) - 1).abs().max() < tolerance


@pytest.mark.parametrize("dtype", PRECISION)
def test_rotvec_to_rotmat_equals_scipy(dtype):
    rotvec = _rotvecs().to(dtype)
    R = rotvec_to_rotmat(rotvec)
    expected = Rotation.from_rotvec(rotvec.double().numpy()).as_matrix()
    np.testing.assert_allclose(R.numpy(), expected, atol=PRECISION[dtype])
    _is_rotation(R, 4 * PRECISION[dtype])


@pytest.mark.parametrize("dtype", PRECISION)
def test_rotmat_to_rotvec_returns_the_rotation_with_the_shortest_vector(dtype):
    R = rotvec_to_rotmat(_rotvecs().to(dtype))
    rotvec = rotmat_to_rotvec(R)
    assert rotvec.norm(dim=-1).max() <= math.pi + 1e-6
    torch.testing.assert_close(rotvec_to_rotmat(rotvec), R, rtol=0, atol=2 * PRECISION[dtype])


def test_small_rotvecs_survive_the_round_trip_to_relative_precision():
    rotvec = 1e-9 * _vectors(50)
    torch.testing.assert_close(rotmat_to_rotvec(rotvec_to_rotmat(rotvec)), rotvec, rtol=1e-6, atol=0)


def test_rotmat_to_quat_equals_scipy():
    R = Rotation.random(500, rng=np.random.default_rng(0)).as_matrix()
    expected = Rotation.from_matrix(R).as_quat(canonical=True, scalar_first=True)
    np.testing.assert_allclose(rotmat_to_quat(torch.from_numpy(R)).numpy(), expected, atol=1e-14)


@pytest.mark.parametrize("dtype", PRECISION)
def test_geodesic_angle_is_exact_at_both_ends(dtype):
    angles = torch.tensor([0, 1e-5, 1e-3, 1, 3, math.pi - 1e-3, math.pi - 1e-5, math.pi], dtype=dtype)
    axis = torch.nn.functional.normalize(_vectors(8), dim=-1).to(dtype)
    first = rotvec_to_rotmat(_vectors(8, seed=2).to(dtype))
    second = first @ rotvec_to_rotmat(axis * angles[:, None])
    torch.testing.assert_close(geodesic_angle(first, second), angles, rtol=0, atol=4 * PRECISION[dtype])


def test_projection_finds_the_nearest_rotation_even_for_mirrors():
    R = rotvec_to_rotmat(_vectors(20))
    noisy = R + 0.2 * torch.randn(20, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for matrix in (noisy, noisy @ torch.diag(torch.tensor([1.0, 1, -1], dtype=torch.float64))):
        nearest = project_to_so3(matrix)
        _is_rotation(nearest, 1e-12)
        for step in 1e-3 * _vectors(30, seed=4):
            other = nearest @ rotvec_to_rotmat(step)
            assert ((other - matrix).norm(dim=(-2, -1)) > (nearest - matrix).norm(dim=(-2, -1))).all()


def test_projection_of_a_rotation_has_a_finite_gradient():
    matrix = torch.eye(3, dtype=torch.float64)[None].requires_grad_()
    project_to_so3(matrix)[0, 0, 1].backward()
    expected = torch.tensor([[0, 0.5, 0], [-0.5, 0, 0], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(matrix.grad[0], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "function",
    [
        rotvec_to_rotmat,
        lambda v: rotmat_to_rotvec(rotvec_to_rotmat(v)),
        lambda v: geodesic_angle(rotvec_to_rotmat(v), rotvec_to_rotmat(v.flip(0))),
    ],
)
def test_gradients_equal_finite_differences(function):
    inputs = torch.cat((_vectors(6), 1e-2 * _vectors(3))).requires_grad_()
    assert torch.autograd.gradcheck(function, (inputs,))


def test_gradients_are_finite_in_degenerate_places():
    zero = torch.zeros(1, 3, dtype=torch.float64)
    some = torch.tensor([[0.3, -0.2, 0.5]], dtype=torch.float64)
    for start in (zero, some, 1e-9 * some):
        for end in (zero, some, -some, start):
            a, b = start.clone().requires_grad_(), end.clone().requires_grad_()
            R = rotvec_to_rotmat(a)
            (rotmat_to_rotvec(R).sum() + geodesic_angle(R, rotvec_to_rotmat(b)).sum()).backward()
            assert torch.isfinite(a.grad).all()
            assert torch.isfinite(b.grad).all()


def test_batch_axes_are_free():
    v = _vectors(24).reshape(2, 3, 4, 3)
    R = rotvec_to_rotmat(v)
    torch.testing.assert_close(R.reshape(24, 3, 3), rotvec_to_rotmat(v.reshape(24, 3)))
    torch.testing.assert_close(rotmat_to_rotvec(R[0, 0, 0]), rotmat_to_rotvec(R)[0, 0, 0])


def test_rotations_match_the_reference(oracle):
    reference = oracle("hybrik_rotations")
    np.testing.assert_allclose(
        rotvec_to_rotmat(torch.from_numpy(reference["rotvec"])).numpy(), reference["rotmat"], atol=1e-12
    )


def test_rotations_equal_roma_s():
    """An independent implementation, in double precision, up to angles of 3 radians."""
    rotvec = torch.cat([angle * torch.nn.functional.normalize(_vectors(100), dim=-1) for angle in ANGLES])
    matrix = roma.rotvec_to_rotmat(rotvec)
    tight = {"rtol": 0, "atol": 1e-12}
    torch.testing.assert_close(rotvec_to_rotmat(rotvec), matrix, **tight)
    torch.testing.assert_close(rotmat_to_rotvec(matrix), roma.rotmat_to_rotvec(matrix), **tight)
    quat = roma.rotmat_to_unitquat(matrix)[..., [3, 0, 1, 2]]
    torch.testing.assert_close(rotmat_to_quat(matrix), quat * torch.sign(quat[:, :1]), **tight)
    other = matrix.flip(0)
    torch.testing.assert_close(
        geodesic_angle(matrix, other), roma.rotmat_geodesic_distance(matrix, other), **tight
    )
    noisy = matrix + 0.2 * torch.randn(matrix.shape, generator=torch.Generator().manual_seed(5)).double()
    torch.testing.assert_close(project_to_so3(noisy), roma.special_procrustes(noisy), **tight)


def test_the_angle_between_opposite_turns_keeps_its_digits_where_roma_s_does_not():
    """Why the angle is not roma's: its arc sine has an infinite slope at half a turn."""
    axes = torch.nn.functional.normalize(_vectors(100), dim=-1)
    turned = Rotation.from_rotvec((math.pi - 1e-4) * axes.numpy()).as_matrix()
    matrix, start = torch.from_numpy(turned).float(), torch.eye(3).expand(100, 3, 3)
    ours, theirs = geodesic_angle(start, matrix), roma.rotmat_geodesic_distance(start, matrix)
    assert (ours.double() - (math.pi - 1e-4)).abs().max() < 1e-6
    assert (theirs.double() - (math.pi - 1e-4)).abs().max() > 1e-4
