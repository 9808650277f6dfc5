"""Network output made from known bodies must decode to those bodies."""

import pytest
import torch

from rhobin.body.load import load_bodies
from rhobin.body.twist import twist_targets
from rhobin.geometry.camera import project
from rhobin.geometry.rotation import geodesic_angle, rotvec_to_rotmat
from rhobin.methods.khor.decode import BONES, PAIRS, decode, distances_depth
from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.heatmap import Keypoints
from rhobin.nets.lifting import Lifting

SIZE, DEPTH_RANGE, BATCH = 128, 4.4, 6


@pytest.fixture(scope="module")
def bodies():
    return load_bodies()


@pytest.fixture
def scene(bodies):
    """Random bodies with mean hands, random rigid objects, and what a perfect network would say of them."""
    rng = torch.Generator().manual_seed(3)
    gender = torch.tensor([0, 1, 2, 0, 1, 2])
    beta = torch.randn(BATCH, 10, generator=rng)
    theta = rotvec_to_rotmat(0.3 * torch.randn(BATCH, 52, 3, generator=rng))
    theta[:, 22:] = bodies.mean_hands(gender)
    trans = torch.tensor([0.2, 0.1, 2.8]) + 0.3 * torch.randn(BATCH, 3, generator=rng)
    joints = bodies.joints29(bodies.kinematics(theta, beta, trans, gender), beta, gender)
    template_kpts = torch.randn(20, 8, 3, generator=rng) * 0.3
    object_id = torch.tensor([3, 0, 19, 7, 7, 2])
    obj_R = rotvec_to_rotmat(torch.randn(BATCH, 3, generator=rng))
    obj_t = trans + torch.tensor([0.3, 0.0, 0.2])
    kpts = template_kpts[object_id] @ obj_R.mT + obj_t[:, None]
    K = torch.tensor([[150.0, 0, 60], [0, 150, 66], [0, 0, 1]]).expand(BATCH, 3, 3)
    twist, _ = twist_targets(theta, bodies.rest29(beta, gender))
    pelvis = joints[:, :1, 2]

    def heatmap(points):
        uv = project(points, K) / SIZE - 0.5
        uvd = torch.cat([uv, ((points[..., 2] - pelvis) / DEPTH_RANGE)[..., None]], -1)
        return Keypoints(uvd, torch.full(uvd.shape[:2], 0.05))

    output = KhorOutput(heatmap(joints), heatmap(kpts), beta, 3 * twist)
    return {
        "output": output, "K": K, "gender": gender, "object_id": object_id, "template_kpts": template_kpts,
        "theta": theta, "beta": beta, "trans": trans, "joints": joints,
        "obj_R": obj_R, "obj_t": obj_t, "kpts": kpts,
    }  # fmt: skip


def lifting_of(scene):
    return Lifting(scene["K"], SIZE, DEPTH_RANGE)


def run_decode(scene, bodies, output=None, adaptive=False):
    return decode(
        output or scene["output"], lifting_of(scene), scene["gender"], scene["object_id"], bodies,
        scene["template_kpts"], adaptive,
    )  # fmt: skip


@pytest.mark.parametrize("adaptive", [False, True])
def test_perfect_output_decodes_to_the_scene(scene, bodies, adaptive):
    pred = run_decode(scene, bodies, adaptive=adaptive)
    assert (pred.human.trans - scene["trans"]).norm(dim=1).max() < 2e-3
    assert (pred.object.t - scene["obj_t"]).norm(dim=1).max() < 2e-3
    assert geodesic_angle(pred.object.R, scene["obj_R"]).max() < 2e-3
    human = pred.human
    posed = bodies.joints29(
        bodies.kinematics(human.theta, human.beta, human.trans, scene["gender"]), human.beta, scene["gender"]
    )
    assert (posed - scene["joints"]).norm(dim=-1).max() < 3e-3
    torch.testing.assert_close(pred.human.theta[:, 22:], scene["theta"][:, 22:])
    assert torch.equal(pred.object.scale, torch.ones(BATCH))


def test_bone_lengths_give_the_pelvis_depth(scene, bodies):
    rest = bodies.rest29(scene["beta"], scene["gender"])
    depth = distances_depth(scene["output"].human, lifting_of(scene), rest, BONES)
    torch.testing.assert_close(depth, scene["joints"][:, 0, 2], atol=2e-3, rtol=0)


def test_distances_of_keypoints_give_the_pelvis_depth(scene):
    rest = scene["template_kpts"][scene["object_id"]]
    depth = distances_depth(scene["output"].object, lifting_of(scene), rest, PAIRS)
    torch.testing.assert_close(depth, scene["joints"][:, 0, 2], atol=2e-3, rtol=0)


@pytest.mark.parametrize("part", ["human", "object"])
def test_one_part_alone_decodes_to_the_scene(scene, bodies, part):
    output = scene["output"]
    alone = output._replace(object=None) if part == "human" else KhorOutput(object=output.object)
    pred, whole = run_decode(scene, bodies, alone), run_decode(scene, bodies)
    if part == "human":
        assert pred.object is None
        assert torch.equal(pred.human.theta, whole.human.theta)
    else:
        assert pred.human is None
        assert (pred.object.t - scene["obj_t"]).norm(dim=1).max() < 2e-3
        assert geodesic_angle(pred.object.R, scene["obj_R"]).max() < 2e-3


def test_uncertain_keypoints_hardly_count(scene, bodies):
    output = scene["output"]
    uvd, sigma = output.object.uvd.clone(), output.object.sigma.clone()
    uvd[:, 2] += 0.1
    sigma[:, 2] = 0.9
    spoilt = output._replace(object=Keypoints(uvd, sigma))
    trusted = output._replace(object=Keypoints(uvd, output.object.sigma))
    error = {
        name: (run_decode(scene, bodies, o).object.t - scene["obj_t"]).norm(dim=1).mean()
        for name, o in (("spoilt", spoilt), ("trusted", trusted))
    }
    assert error["spoilt"] < 0.05 * error["trusted"]


def test_noise_of_a_trained_network_moves_the_body_little(scene, bodies):
    output = scene["output"]
    noise = 0.01 * torch.randn(output.human.uvd.shape, generator=torch.Generator().manual_seed(0))
    noisy = output._replace(human=Keypoints(output.human.uvd + noise, output.human.sigma))
    pred = run_decode(scene, bodies, noisy)
    assert (pred.human.trans - scene["trans"]).norm(dim=1).mean() < 0.25
    assert torch.isfinite(pred.human.theta).all()


def test_garbage_stays_finite(scene, bodies):
    flat = Keypoints(torch.zeros(BATCH, 29, 3), torch.full((BATCH, 29), 1e-9))
    blob = Keypoints(torch.zeros(BATCH, 8, 3), torch.ones(BATCH, 8))
    pred = run_decode(scene, bodies, KhorOutput(flat, blob, scene["beta"], torch.zeros(BATCH, 23, 2)))
    for part in (pred.human.theta, pred.human.trans, pred.object.R, pred.object.t):
        assert torch.isfinite(part).all()
