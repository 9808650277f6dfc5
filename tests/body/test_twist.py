import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.twist import twist_about, twist_targets
from rhobin.geometry.rotation import geodesic_angle, rotvec_to_rotmat


def _vectors(count, seed):
    return torch.randn(count, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_swing_and_twist_rebuild_the_rotation():
    bone = _vectors(500, 0)
    R = torch.from_numpy(Rotation.random(500, rng=np.random.default_rng(0)).as_matrix())
    (cos, sin), weight = (x.unbind(-1) if x.ndim == 2 else x for x in twist_about(R, bone))
    unit = bone / bone.norm(dim=-1, keepdim=True)
    turned = (R @ unit[..., None]).squeeze(-1)
    across = torch.linalg.cross(unit, turned)
    sine = across.norm(dim=-1, keepdim=True)
    swing = rotvec_to_rotmat(across / sine * torch.atan2(sine, (unit * turned).sum(-1, keepdim=True)))
    assert (weight == 1).all()
    assert geodesic_angle(swing @ rotvec_to_rotmat(torch.atan2(sin, cos)[:, None] * unit), R).max() < 1e-6


def test_targets_equal_the_reference(oracle):
    """The angles HybrIK's authors use, for every sample of the reference."""
    reference = oracle("hybrik_ik")
    theta24 = torch.from_numpy(reference["rot_mats_gt"])
    theta = torch.eye(3, dtype=torch.float64).repeat(len(theta24), 52, 1, 1)
    theta[:, [*range(22), 22, 37]] = theta24
    twist, weight = twist_targets(theta, torch.from_numpy(reference["rest_joints29"]))
    angle = torch.from_numpy(reference["twist_angle"])
    expected = torch.stack((angle.cos(), angle.sin()), dim=-1)
    assert (weight == 1).all()
    torch.testing.assert_close(twist, expected, rtol=0, atol=1e-6)


def test_pure_twists_and_their_sign():
    bone = torch.tensor([[0.0, 0.3, 0]]).double().expand(5, 3)
    angle = torch.tensor([-3.0, -0.5, 0, 0.5, 3.0]).double()
    twist, _ = twist_about(rotvec_to_rotmat(angle[:, None] * torch.tensor([0.0, 1, 0]).double()), bone)
    torch.testing.assert_close(twist, torch.stack((angle.cos(), angle.sin()), dim=-1), rtol=0, atol=1e-12)


def test_half_turn_swings_and_bones_of_no_length_have_no_twist():
    bone = torch.tensor([[0.1, 0, 0], [0.1, 0, 0], [0, 0, 0]]).double()
    rotvec = torch.tensor([[0, np.pi, 0], [0, np.pi - 0.01, 0], [0.4, 0.1, 0]]).double().requires_grad_()
    twist, weight = twist_about(rotvec_to_rotmat(rotvec), bone)
    assert weight.tolist() == [0, 1, 0]
    assert twist[[0, 2]].tolist() == [[1, 0], [1, 0]]
    twist.sum().backward()
    assert torch.isfinite(rotvec.grad).all()


def test_single_precision_is_good_to_a_tenth_of_a_degree_wherever_it_is_defined():
    bone = _vectors(4000, 1)
    across = torch.linalg.cross(bone, _vectors(4000, 2))
    across = across / across.norm(dim=-1, keepdim=True)
    swing = rotvec_to_rotmat(across * torch.linspace(0, np.pi, 4000, dtype=torch.float64)[:, None])
    angle = torch.linspace(-9, 9, 4000, dtype=torch.float64)
    R = swing @ rotvec_to_rotmat(angle[:, None] * bone / bone.norm(dim=-1, keepdim=True))
    twist, weight = twist_about(R.float(), bone.float())
    error = (twist.double() - torch.stack((angle.cos(), angle.sin()), dim=-1)).norm(dim=-1)
    assert error[weight > 0].max() < np.radians(0.1)
    assert 0 < (weight == 0).sum() < 10
