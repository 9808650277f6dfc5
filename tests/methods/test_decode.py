"""Network output made from known bodies must decode to those bodies."""

import pytest
import torch

from rhobin.body.load import load_bodies
from rhobin.body.twist import twist_targets
from rhobin.geometry.camera import project
from rhobin.geometry.rotation import geodesic_angle, rotvec_to_rotmat
from rhobin.methods.khor.decode import bone_length_depth, decode, keypoints_to_prediction, pixel_rays
from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.heatmap import Keypoints

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


def run_decode(scene, bodies, output=None):
    return decode(
        output or scene["output"], scene["K"], scene["gender"], scene["object_id"], bodies,
        scene["template_kpts"], SIZE, DEPTH_RANGE,
    )  # fmt: skip


def test_perfect_output_decodes_to_the_scene(scene, bodies):
    pred = run_decode(scene, bodies)
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
    uvd = scene["output"].human.uvd
    rays = pixel_rays((uvd[..., :2] + 0.5) * SIZE, scene["K"])
    rest = bodies.rest29(scene["beta"], scene["gender"])
    depth = bone_length_depth(rays, uvd[..., 2] * DEPTH_RANGE, rest, torch.ones(BATCH, 29))
    torch.testing.assert_close(depth, scene["joints"][:, 0, 2], atol=2e-3, rtol=0)


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


def test_keypoints_to_prediction_is_exact_on_exact_keypoints(scene, bodies):
    pred = keypoints_to_prediction(
        scene["joints"], scene["kpts"], scene["beta"], scene["output"].twist, scene["gender"],
        scene["object_id"], bodies, scene["template_kpts"],
    )  # fmt: skip
    assert geodesic_angle(pred.human.theta, scene["theta"]).max() < 5e-3
    torch.testing.assert_close(pred.human.trans, scene["trans"], atol=1e-4, rtol=0)
    torch.testing.assert_close(pred.object.t, scene["obj_t"], atol=1e-4, rtol=0)


def test_garbage_stays_finite(scene, bodies):
    flat = Keypoints(torch.zeros(BATCH, 29, 3), torch.full((BATCH, 29), 1e-9))
    blob = Keypoints(torch.zeros(BATCH, 8, 3), torch.ones(BATCH, 8))
    pred = run_decode(scene, bodies, KhorOutput(flat, blob, scene["beta"], torch.zeros(BATCH, 23, 2)))
    for part in (pred.human.theta, pred.human.trans, pred.object.R, pred.object.t):
        assert torch.isfinite(part).all()
