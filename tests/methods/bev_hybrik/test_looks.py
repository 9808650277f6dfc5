"""Testing at several scales and in the mirror."""

import pytest
import torch
from people_batches import DEPTH_RANGE, SIZE, VOLUME, perfect_output

from rhobin.body.joints import MIRROR29
from rhobin.body.transform import flip_twist
from rhobin.geometry.camera import project
from rhobin.methods.bev_hybrik.decode import parts_of
from rhobin.methods.bev_hybrik.looks import in_crop
from rhobin.methods.variants import Variant, changed
from rhobin.nets.lifting import Lifting


@pytest.mark.parametrize("variant", [Variant(), Variant(1.3), Variant(0.8, True), Variant(1.0, True)])
def test_what_a_variant_truly_shows_is_the_truth_of_the_crop(people, variant):
    """Joints of the scene seen through the variant's camera are brought back to where they are."""
    human = people.target.human
    crops = changed(people, variant)
    joints = human.joints
    if variant.mirrored:
        joints = joints[:, list(MIRROR29)] * torch.tensor([-1.0, 1, 1])
    pixels = project(joints, crops.K_crop)
    depth = (joints[..., 2:] - joints[:, :1, 2:]) / DEPTH_RANGE
    uvd = torch.cat([pixels / SIZE - 0.5, depth], dim=-1)
    lifting = Lifting(people.K_crop, SIZE, DEPTH_RANGE)
    true = parts_of(perfect_output(people), lifting, VOLUME.depth_bins)
    twist = flip_twist(true.twist) if variant.mirrored else true.twist
    told = in_crop(true._replace(uvd=uvd, twist=twist), variant, SIZE)
    assert torch.allclose(told.uvd, true.uvd, atol=1e-4)
    assert torch.allclose(told.twist, torch.nn.functional.normalize(true.twist, dim=-1), atol=1e-6)
    assert torch.allclose(told.sigma, true.sigma * variant.scale)


def test_equal_scales_change_nothing(method, people):
    one = method().eval().predict(people).human
    three = method(testing={"scales": [1.0, 1.0, 1.0], "mirrored": False}).eval().predict(people).human
    for name in ("theta", "beta", "trans", "joints"):
        assert torch.equal(getattr(one, name), getattr(three, name)), name


def test_looks_differ_and_their_mean_is_a_body(method, people):
    one = method().eval().predict(people).human
    several = method(testing={"scales": [0.85, 1.0, 1.15], "mirrored": True}).eval().predict(people).human
    assert not torch.allclose(one.joints, several.joints, atol=1e-3)
    eye = several.theta @ several.theta.mT
    assert torch.allclose(eye, torch.eye(3).expand_as(eye), atol=1e-4)


def test_one_look_is_what_decode_says(method, people):
    module = method().eval()
    with torch.no_grad():
        decoded = module.decode(module.run_net(people), people).human
    predicted = module.predict(people).human
    assert torch.equal(decoded.theta, predicted.theta)
    assert torch.equal(decoded.trans, predicted.trans)
