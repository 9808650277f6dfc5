import pytest
import torch

from rhobin.body.fit import BodyFitter
from rhobin.body.load import load_body
from rhobin.body.twist import twist_targets
from rhobin.geometry.rotation import geodesic_angle, rotvec_to_rotmat


@pytest.fixture(scope="module")
def people():
    """A fitter, and random bodies of its model in single precision."""
    body = load_body("female")
    random = torch.Generator().manual_seed(0)
    theta = rotvec_to_rotmat(0.35 * torch.randn(6, 52, 3, generator=random))
    beta, trans = torch.randn(6, 10, generator=random), torch.randn(6, 3, generator=random)
    return BodyFitter(body), body, theta, beta, trans, random


def _mm(body, fit, verts):
    return 1000 * (body(fit.theta, fit.beta, fit.trans).verts - verts).norm(dim=-1)


def test_vertices_of_the_model_are_met_within_a_millimetre(people):
    fitter, body, theta, beta, trans, _ = people
    posed = body(theta, beta, trans)
    fit = fitter.verts(posed.verts)
    assert _mm(body, fit, posed.verts).mean() < 0.5
    assert _mm(body, fit, posed.verts).mean(1).max() < 1
    more = fitter.verts(posed.verts, steps=12, shape_sigma=1e-4)
    assert _mm(body, more, posed.verts).max() < 0.1
    assert geodesic_angle(more.theta, theta).max() < 0.01
    assert (more.beta - beta).abs().max() < 0.01
    assert (more.error - _mm(body, more, posed.verts).mean(1) / 1000).abs().max() < 1e-5
    identity = torch.eye(3)
    assert (more.theta @ more.theta.mT - identity).abs().max() < 1e-5


def test_ten_millimetres_of_noise_leave_a_few(people):
    fitter, body, theta, beta, trans, random = people
    posed = body(theta, beta, trans)
    noisy = posed.verts + 0.01 * torch.randn(posed.verts.shape, generator=random)
    assert _mm(body, fitter.verts(noisy), posed.verts).mean() < 2


def test_a_shared_shape_is_one_and_better(people):
    fitter, body, theta, beta, trans, random = people
    beta = beta[:1].expand(6, 10)
    noisy = body(theta, beta, trans).verts
    noisy = noisy + 0.02 * torch.randn(noisy.shape, generator=random)
    alone, shared = (fitter.verts(noisy, shared_shape=flag) for flag in (False, True))
    assert (shared.beta - shared.beta[:1]).abs().max() == 0
    assert (shared.beta - beta).norm() < 0.6 * (alone.beta - beta).norm()


def test_vertices_without_weight_do_not_matter(people):
    fitter, body, theta, beta, trans, random = people
    verts = body(theta, beta, trans).verts
    weight = (torch.rand(6, body.n_verts, generator=random) > 0.3).float()
    spoilt = torch.where(weight[..., None] > 0, verts, verts + 5)
    assert _mm(body, fitter.verts(spoilt, weight), verts).mean() < 1
    assert _mm(body, fitter.verts(spoilt), verts).mean() > 100


def test_joints_add_to_vertices(people):
    fitter, body, theta, beta, trans, random = people
    posed = body(theta, beta, trans)
    noisy = posed.verts + 0.03 * torch.randn(posed.verts.shape, generator=random)
    errors = []
    for joints in (None, posed.joints):
        fit = fitter.verts(
            noisy, joints=joints, joints_weight=None if joints is None else torch.full((52,), 1e3)
        )
        found = body.kinematics(fit.theta, fit.beta, fit.trans).joints
        errors.append((found - posed.joints).norm(dim=-1).mean())
    assert errors[1] < 0.3 * errors[0]


def test_joints_alone_with_and_without_twist(people):
    fitter, body, theta, beta, trans, _ = people
    posed = body(theta, beta, trans)
    joints = body.joints29(posed, beta)
    twist, _ = twist_targets(theta, body.rest29(beta))
    errors = []
    for options in ({}, {"twist": twist, "hands": theta[:, 22:]}):
        fit = fitter.joints29(joints, **options)
        found = body(fit.theta, fit.beta, fit.trans)
        assert (body.joints29(found, fit.beta) - joints).norm(dim=-1).mean() < 3e-3
        errors.append((found.verts - posed.verts).norm(dim=-1).mean())
    assert errors[1] < 0.008
    assert errors[1] < 0.5 * errors[0]


def test_smpl_is_fitted_too(smpl24, pose):
    theta, beta, trans = pose(3, joints=24, spread=0.3)
    posed = smpl24(theta, beta, trans)
    fitter = BodyFitter(smpl24)
    fit = fitter.verts(posed.verts, steps=8, shape_sigma=1e-4)
    assert (smpl24(fit.theta, fit.beta, fit.trans).verts - posed.verts).norm(dim=-1).mean() < 1e-3
    joints = fitter.joints29(smpl24.joints29(posed, beta))
    assert joints.theta.shape == (3, 24, 3, 3)
    assert joints.error.max() < 5e-3


def test_another_topology_is_refused(people):
    with pytest.raises(ValueError, match="expected 6890 vertices"):
        people[0].verts(torch.zeros(1, 100, 3))
