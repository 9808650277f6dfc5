"""CHORE's network, space, truth and losses: the published structure, and what must not change anything."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from made_batches import made_batch, space
from torch import nn

from rhobin.engine.build import instantiate
from rhobin.engine.compose import compose_config
from rhobin.geometry.camera import project
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.methods.chore.loss import TERMS, ChoreLoss
from rhobin.methods.chore.net import HEADS, OUTSIDE, ChoreNet, MeanBody
from rhobin.methods.chore.space import Space
from rhobin.methods.chore.truth import field_truth
from rhobin.nets.lite import Lite
from rhobin.nets.pixels import BackboneMaps, Hourglasses

KINECT, WINDOW = 979.7844, 1200  # CHORE's focal length and crop, pixels


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return ChoreNet(BackboneMaps(Lite(widths=(8, 12, 16, 16), out_channels=8), fine_channels=4), 16)


def block(i, o):
    """Weights of a block: three convolutions and their norms, and a projection where channels differ."""
    convolutions = 9 * (i * o // 2 + o // 2 * o // 4 + o // 4 * o // 4)
    return convolutions + 2 * (i + o // 2 + o // 4) + (0 if i == o else i * o + 2 * i)


def test_the_published_network_has_the_published_structure():
    with torch.device("meta"):
        net = instantiate(compose_config(["experiment=chore/paper"]).model.net)
    stem = 5 * 64 * 49 + 64 + 2 * 64
    hourglass = (3 * 2 + 1) * block(256, 256)
    stack = hourglass + block(256, 256) + (256 * 256 + 256) + 2 * 256 + (256 * 256 + 256)
    between = 2 * (256 * 256 + 256)
    pixels = stem + block(64, 128) + block(128, 128) + block(128, 256) + 5 * stack + 4 * between
    inputs = 256 + 3 + 64
    heads = sum(inputs * 128 + 128 + 2 * (128 * 128 + 128) + 128 * out + out for out in (2, 14, 9, 6))
    assert sum(p.numel() for p in net.pixels.parameters()) == pixels
    assert sum(p.numel() for p in net.heads.parameters()) == heads
    assert pixels + heads == 18_227_359


def test_every_stack_predicts_and_the_first_layer_learns_through_the_stacks_alone():
    torch.manual_seed(0)
    net = ChoreNet(Hourglasses(stacks=2, channels=64), 16)
    maps = net(torch.randn(1, 5, 64, 64))
    assert [tuple(stack.shape) for stack in maps.stacks] == [(1, 64, 16, 16)] * 2
    assert maps.fine.shape == (1, 64, 32, 32)
    assert not maps.fine.requires_grad
    points = torch.tensor([[[0.0, 0.0, 2.0], [0.1, 0.2, 2.1]]])
    found = net.query(maps, points, space(1))
    assert len(found) == 2
    sum(value.square().sum() for values in found for value in values.values()).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
    assert len(net.eval().query(maps, points, space(1))) == 1


def test_points_outside_the_crop_are_far_from_everything(small):
    maps = small(torch.randn(2, 5, 64, 64))
    points = torch.tensor([[[0.0, 0.0, 2.0], [3.0, 0.0, 2.0]]]).repeat(2, 1, 1)
    (values,) = small.query(maps, points, space(), ["distance"])
    assert values.keys() == {"distance"}
    assert (values["distance"][..., 1] == OUTSIDE).all()
    assert (values["distance"][..., 0] != OUTSIDE).all()


def test_a_point_reads_the_pixel_that_it_projects_to():
    class Planes(nn.Module):
        grid_channels, fine_channels = 2, 2

        def forward(self, image):
            raise AssertionError

    net, place = ChoreNet(Planes(), 4), space(1)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    seen = []
    net.heads["part"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    from rhobin.nets.pixels import PixelMaps

    planes = torch.stack([columns, rows])[None]
    points = torch.tensor([[[0.3, -0.2, 1.9], [-0.5, 0.4, 2.5]]])
    net.query(PixelMaps((planes,), planes), points, place, ["part"])
    uv = project(points, place.K)
    assert torch.allclose(seen[0][0, :2].T, uv[0], atol=1e-3)
    assert torch.allclose(seen[0][0, -2:].T, uv[0], atol=1e-3)
    assert torch.allclose(seen[0][0, 2:5].T, points[0] - torch.tensor([0, 0, float(place.depth)]))


def test_the_published_window_puts_every_pelvis_at_2_2_metres():
    K = torch.tensor([[KINECT * 512 / WINDOW, 0, 100.0], [0, KINECT * 512 / WINDOW, 0.0], [0, 0, 1]])[None]
    width = compose_config(["experiment=chore/paper"]).model.width
    published = Space(K, 512, width)
    assert published.depth.item() == pytest.approx(2.2, abs=1e-3)
    assert published.factor(torch.tensor([3.3])).item() == pytest.approx(2 / 3, abs=1e-3)


def test_a_scene_that_is_larger_and_further_away_has_the_same_truth():
    one, other = (field_truth(made_batch(scale=scale), space()) for scale in (1.0, 1.7))
    for first, second in zip(one, other, strict=True):
        assert torch.allclose(first, second, atol=1e-5)


def test_axes_turn_with_the_object():
    batch = made_batch()
    turn = rotvec_to_rotmat(torch.tensor([0.4, -1.0, 2.0]))
    moved = replace(batch.target, object=replace(batch.target.object, R=turn @ batch.target.object.R))
    before, after = (field_truth(b, space()).axes for b in (batch, replace(batch, target=moved)))
    assert torch.allclose(after, before @ turn.mT, atol=1e-6)


def perfect(truth):
    count = truth.points.shape[1]
    return {
        "distance": truth.distance.clone(),
        "part": 50 * F.one_hot(truth.part, 14).float().mT,
        "axes": truth.axes[..., None].repeat(1, 1, 1, count),
        "centre": truth.centre[..., None].repeat(1, 1, 1, count),
    }


def test_the_truth_has_no_loss_and_each_head_its_own():
    truth, loss = field_truth(made_batch(), space()), ChoreLoss(clamp=0.5, near=0.4)
    none = loss([perfect(truth)], truth)
    assert tuple(none) == TERMS
    assert all(value < 1e-6 for value in none.values())
    moves = {
        "distance": {"person", "object"},
        "part": {"part"},
        "axes": {"axes"},
        "centre": {"object_centre", "pelvis"},
    }
    assert moves.keys() == HEADS.keys()
    for head, names in moves.items():
        wrong = perfect(truth)
        wrong[head] = wrong[head].flip(-1) - 0.3 if head != "part" else wrong[head].roll(1, 1)
        changed = loss([wrong], truth)
        assert {name for name in TERMS if changed[name] > 1e-4} == names


def test_fields_need_not_be_right_where_nothing_is_near():
    truth, loss = field_truth(made_batch(), space()), ChoreLoss(clamp=0.2, near=0.1)
    wrong = perfect(truth)
    far = truth.distance > 0.2
    wrong["distance"] = torch.where(far, truth.distance + 3, truth.distance)
    assert loss([wrong], truth)["person"] < 1e-6
    distant = (truth.distance > 0.1).all(1)
    wrong["axes"] = wrong["axes"] + distant[:, None, None] * 5.0
    assert loss([wrong], truth)["axes"] < 1e-6
    twice = loss([perfect(truth), wrong], truth)
    assert all(value < 1e-6 for value in twice.values())


def test_the_mean_body_is_the_mean_of_all_batches():
    bodies, known = [made_batch(count, seed=count).target.human for count in (1, 3)], MeanBody()
    for human in bodies:
        known.add(human)
    assert torch.allclose(known.beta, torch.cat([h.beta for h in bodies]).mean(0), atol=1e-6)
    assert torch.allclose(known.theta, torch.cat([h.theta for h in bodies]).mean(0), atol=1e-6)
    assert torch.allclose(known.pose() @ known.pose().mT, torch.eye(3), atol=1e-5)
