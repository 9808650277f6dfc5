"""From perfect outputs to the body that they were made of."""

import pytest
import torch
from people_batches import DEPTH_RANGE, SIZE, VOLUME, perfect_output

from rhobin.geometry.camera import project
from rhobin.geometry.rotation import geodesic_angle
from rhobin.methods.bev_hybrik.decode import decode_body, parts_of, pelvis_depth
from rhobin.nets.lifting import Lifting


def decoded(batch, output, bodies):
    lifting = Lifting(batch.K_crop, SIZE, DEPTH_RANGE)
    return decode_body(parts_of(output, lifting, VOLUME.depth_bins), lifting, batch.gender, bodies)


def test_a_perfect_output_is_the_body(assets, people):
    body, true = decoded(people, perfect_output(people), assets.bodies), people.target.human
    assert (body.trans - true.trans).norm(dim=-1).max() < 2e-3
    turned = geodesic_angle(body.theta[:, :22], true.theta[:, :22])
    assert torch.rad2deg(turned).max() < 1.0
    assert (body.joints - true.joints).norm(dim=-1).max() < 2e-3


def test_depth_comes_from_the_centre_maps(people):
    place = people.target.bev.cell + people.target.bev.offset
    depth = pelvis_depth(place, Lifting(people.K_crop, SIZE, DEPTH_RANGE), VOLUME.depth_bins)
    assert torch.allclose(depth, people.target.human.joints[:, 0, 2], rtol=1e-4)


@pytest.mark.parametrize("bins", [-1.0, 1.0])
def test_a_wrong_depth_is_refined_by_the_bones(assets, people, bins):
    """A bin too near or too far is 19 % of the depth; the pixels and the bones' lengths correct it."""
    output = perfect_output(people)
    wrong = output._replace(place=output.place + torch.tensor([bins, 0, 0]))
    lifting = Lifting(people.K_crop, SIZE, DEPTH_RANGE)
    true = people.target.human.joints[:, 0, 2]
    before = (pelvis_depth(wrong.place, lifting, VOLUME.depth_bins) / true - 1).abs()
    body = decoded(people, wrong, assets.bodies)
    after = (body.joints[:, 0, 2] / true - 1).abs()
    assert (before > 0.15).all()
    assert (after < 0.15 * before).all()


def test_pixels_and_points_are_inverse(people):
    lifting = Lifting(people.K_crop, SIZE, DEPTH_RANGE)
    uvd = people.target.heatmaps.joints_uvd
    points = lifting.points(uvd, people.target.human.joints[:, 0, 2])
    assert torch.allclose(points, people.target.human.joints, atol=1e-4)
    assert torch.allclose(project(points, people.K_crop), lifting.pixels(uvd), atol=1e-2)


def test_an_uncertainty_is_the_distance_of_its_mean_errors(people):
    """The loss is least where a coordinate is off by sqrt(2) sigma on average; at a pelvis on the axis."""
    lifting, depth = Lifting(people.K_crop, SIZE, DEPTH_RANGE), people.target.human.joints[:, 0, 2]
    middle = torch.zeros(len(people), 1, 3)
    middle[..., :2] = people.K_crop[:, None, :2, 2] / SIZE - 0.5
    sigma = torch.full((len(people), 1), 0.02)
    moved = [
        lifting.points(middle + 2**0.5 * 0.02 * axis, depth) - lifting.points(middle, depth)
        for axis in torch.eye(3)
    ]
    expected = 1000 * torch.cat(moved, dim=1).square().sum((1, 2)).sqrt()
    torch.testing.assert_close(lifting.spread_mm(sigma, depth)[:, 0], expected, rtol=1e-3, atol=0)
