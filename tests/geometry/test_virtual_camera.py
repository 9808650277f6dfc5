import numpy as np
import pytest
import torch

from rhobin.geometry.camera import project, solve_translation
from rhobin.geometry.virtual_camera import DEPTH_RANGE, FOCAL, back_project, box_offset, solve_scale

SCALE = torch.tensor([0.7, 0.9, 1.3]).double()
SURE = torch.full((3, 24), 0.01).double()


@pytest.fixture
def joints():
    """Joints around a pelvis, metres."""
    joints = torch.from_numpy(np.random.default_rng(0).normal(scale=0.4, size=(3, 24, 3)))
    joints[:, 0] = 0
    return joints


def seen(joints, pelvis, offset):
    """Heatmap coordinates in a crop that lies `offset` off its image's middle, by an ordinary camera."""
    K = torch.diag(torch.tensor([FOCAL, FOCAL, 1])).double()
    uv = project(joints + pelvis[:, None], K) - offset[:, None]
    return torch.cat((uv, joints[..., 2:] / DEPTH_RANGE), dim=-1)


def place(offset):
    """A pelvis in the middle of the crop."""
    depth = (FOCAL / SCALE)[:, None]
    return torch.cat((offset / FOCAL * depth, depth), dim=1)


@pytest.mark.parametrize("offset", [[0.0, 0.0], [1.5, -0.4]])
def test_points_go_back_to_where_they_were_seen(joints, offset):
    offset = torch.tensor(offset).double().expand(3, 2)
    uvd = seen(joints, place(offset), offset)
    points = back_project(uvd, SCALE, offset)
    torch.testing.assert_close(points, joints + place(offset)[:, None])


def test_the_offset_counts_boxes():
    box = torch.tensor([[10.0, 20, 50, 40]])
    torch.testing.assert_close(box_offset(box, torch.tensor([[10.0, 60]])), torch.tensor([[0.5, -1.5]]))


def test_the_scale_is_found_from_any_first_one_on_the_axis(joints):
    centre = torch.zeros(3, 2).double()
    uvd = seen(joints, place(centre), centre)
    torch.testing.assert_close(solve_scale(joints + 5, uvd, 0.8 * SCALE, SURE), SCALE)
    wild = uvd.clone()
    wild[:, 3:9, 0] += 1
    unsure = torch.where((wild != uvd).any(-1), 0.1, SURE)
    torch.testing.assert_close(solve_scale(joints, wild, 0.8 * SCALE, unsure), SCALE)


def test_only_a_free_translation_is_right_off_the_axis(joints):
    """Why our methods use `solve_translation`: a first scale 10 % off leaves the reference several off."""
    offset = torch.tensor([1.0, 0]).double().expand(3, 2)
    uvd = seen(joints, place(offset), offset)
    torch.testing.assert_close(solve_scale(joints, uvd, SCALE, SURE, offset), SCALE)
    found = solve_scale(joints, uvd, 1.1 * SCALE, SURE, offset)
    assert ((found / SCALE - 1).abs() > 0.05).all()
    K = torch.diag(torch.tensor([FOCAL, FOCAL, 1])).double().expand(3, 3, 3)
    pixels = uvd[..., :2] + offset[:, None]
    torch.testing.assert_close(solve_translation(joints, pixels, K), place(offset))


def test_without_weights_the_batch_keeps_its_scales(joints):
    centre = torch.zeros(3, 2).double()
    uvd, sigma = seen(joints, place(centre), centre), SURE.clone()
    sigma[1] = 0.5
    assert torch.equal(solve_scale(joints, uvd, 0.8 * SCALE, sigma), 0.8 * SCALE)
