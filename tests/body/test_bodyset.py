import pytest
import torch

from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_bodies, load_body
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.types import GENDERS

GENDER = torch.tensor([2, 0, 1, 1, 0, 2, 0])


def _alone(bodies, parameters, call):
    """Body by body through its own model."""
    return [
        call(bodies[GENDERS[g]], *(x[i : i + 1] for x in parameters)) for i, g in enumerate(GENDER.tolist())
    ]


def test_mixed_batches_equal_single_bodies(bodies, pose):
    parameters = pose(len(GENDER))
    posed = bodies(*parameters, GENDER)
    alone = _alone(bodies, parameters, lambda body, *x: body(*x))
    for name in ("verts", "joints", "rotations"):
        expected = torch.cat([getattr(x, name) for x in alone])
        torch.testing.assert_close(getattr(posed, name), expected, rtol=0, atol=1e-12)
    bare = bodies.kinematics(*parameters, GENDER)
    assert bare.verts is None
    torch.testing.assert_close(bare.joints, posed.joints, rtol=0, atol=1e-12)


def test_rest_and_29_joints_of_mixed_batches(bodies, pose):
    parameters = pose(len(GENDER))
    beta = parameters[1]
    for found, call in (
        (bodies.rest_joints(beta, GENDER), lambda body, theta, b, t: body.rest_joints(b)),
        (bodies.rest29(beta, GENDER), lambda body, theta, b, t: body.rest29(b)),
        (
            bodies.joints29(bodies.kinematics(*parameters, GENDER), beta, GENDER),
            lambda body, *x: body.joints29(body.kinematics(*x), x[1]),
        ),
        (bodies.mean_hands(GENDER), lambda body, *x: rotvec_to_rotmat(body.hands_mean)[None]),
    ):
        torch.testing.assert_close(found, torch.cat(_alone(bodies, parameters, call)), rtol=0, atol=1e-12)


def test_genders_differ(bodies):
    """Otherwise the tests above would pass with the genders mixed up."""
    beta = torch.zeros(3, 10, dtype=torch.float64)
    rest = bodies.rest_joints(beta, torch.arange(3))
    assert torch.cdist(rest.flatten(1), rest.flatten(1))[~torch.eye(3, dtype=torch.bool)].min() > 0.05


def test_gradients_reach_every_body(bodies, pose):
    parameters = tuple(x.requires_grad_() for x in pose(len(GENDER)))
    bodies(*parameters, GENDER).verts.square().sum().backward()
    for x in parameters:
        assert (x.grad.flatten(1).norm(dim=1) > 0).all()


def test_a_gender_that_was_not_loaded_is_an_error(pose):
    few = load_bodies(genders=("female", "male"), dtype=torch.float64)
    theta, beta, trans = pose(2)
    posed = few(theta, beta, trans, torch.tensor([1, 0]))
    torch.testing.assert_close(posed.verts[:1], few["female"](theta[:1], beta[:1], trans[:1]).verts)
    with pytest.raises(ValueError, match=r"no body model loaded for \['neutral'\]"):
        few(theta, beta, trans, torch.tensor([0, 2]))


def test_sets_refuse_what_cannot_share_a_batch(small_body, body, pose):
    with pytest.raises(ValueError, match="one size"):
        BodySet([small_body, load_body("female", dtype=torch.float64)])
    with pytest.raises(ValueError, match="at least one"):
        BodySet([])
    bare = BodySet([small_body])
    with pytest.raises(ValueError, match="leaf_vertices"):
        bare.rest29(torch.zeros(1, 10, dtype=torch.float64), torch.tensor([0]))


def test_moving_the_set_moves_every_buffer(pose):
    bodies = load_bodies(genders=("male", "female")).double()
    posed = bodies(*pose(2), torch.tensor([0, 1]))
    assert posed.verts.dtype == bodies.rest29(pose(2)[1], torch.tensor([0, 1])).dtype == torch.float64
    assert bodies.state_dict() == {}
