"""BEV-HybrIK's network: shapes, and what the heads are told of the person's place."""

import pytest
import torch
from people_batches import SIZE

from rhobin.methods.bev_hybrik.net import sampled
from rhobin.nets.heatmap import VectorHead, VolumetricHead
from rhobin.nets.place import PlaceEmbedding


def images(count=2):
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("vector", ["pooled", "centre"])
def test_shapes(method, vector):
    output = method({"vector": vector}).net.eval()(images())
    assert output.human.uvd.shape == (2, 29, 3)
    assert output.human.sigma.shape == (2, 29)
    assert output.beta.shape == (2, 10)
    assert output.twist.shape == (2, 23, 2)
    assert output.bev.volume.shape == (2, 16, 16, 16)
    assert output.place.shape == (2, 3)


def test_the_heads_know_the_place_that_they_are_told(method):
    """The true one where it is taught, else the one that the maps show."""
    net = method().net.eval()
    told = torch.tensor([[3.0, 4, 5], [9, 2, 11]])
    own, taught = net(images()), net(images(), told, torch.tensor([True, False]))
    assert torch.equal(own.place, taught.place), "the maps do not depend on what is told"
    assert not torch.allclose(own.human.uvd[0], taught.human.uvd[0])
    assert torch.equal(own.human.uvd[1], taught.human.uvd[1])
    again = net(images(), own.place, torch.tensor([True, True]))
    assert torch.equal(again.human.uvd, own.human.uvd)


def test_no_gradient_flows_through_the_told_place(method):
    net = method().net
    output = net(images())
    output.human.uvd.sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in net.bev.refine_offset.parameters())


def test_sampled_features_are_those_of_the_cell():
    grid = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    place = (torch.tensor([[0.0, 2, 5], [0, 7, 0]]) + 0.5) / 8
    read = sampled(grid, place)
    assert torch.allclose(read, torch.stack([grid[0, :, 2, 5], grid[1, :, 7, 0]]), atol=1e-5)


def test_places_are_told_apart():
    embedding = PlaceEmbedding(8)
    line = torch.linspace(0, 1, 64)
    waves = (line[:, None, None].expand(64, 3, 1) * embedding.waves).flatten(1)
    features = torch.cat([waves.sin(), waves.cos()], dim=1)
    gaps = torch.cdist(features, features) + 10 * torch.eye(64)
    assert gaps.min() > 0.1
    assert embedding(torch.rand(3, 3)).shape == (3, 8)


def test_centre_maps_may_be_coarser_than_the_features(method):
    output = method({"stride": 8}).net.eval()(images())
    assert output.bev.volume.shape == (2, 16, 8, 8)
    assert output.human.uvd.shape == (2, 29, 3)
    with pytest.raises(ValueError, match=r"data\.targets\.bev\.stride is 6; expected a multiple of 4"):
        method({"stride": 6})


def test_an_unknown_vector_is_refused(method):
    with pytest.raises(ValueError, match=r"model\.net\.vector is 'mean'; expected one of pooled, centre"):
        method({"vector": "mean"})


def test_heads_for_large_images(method):
    """A coarser heatmap reads the same place; a vector head needs no map."""
    from rhobin.nets.features import Features

    features = Features(torch.randn(2, 8, 16, 16), torch.randn(2, 6))
    coarse = VolumetricHead(8, 6, 29, depth_bins=4, shrink=2)
    assert coarse(features).uvd.shape == (2, 29, 3)
    fine = VolumetricHead(8, 6, 29, depth_bins=4)
    fine.load_state_dict(coarse.state_dict())
    flat = Features(torch.ones(2, 8, 16, 16), features.pooled)
    shift = 0.5 * (1 / 8 - 1 / 16)  # cell i of n reads i / n - 0.5, so half a cell more is missing
    assert torch.allclose(coarse(flat).uvd[..., :2] + shift, fine(flat).uvd[..., :2], atol=1e-5)
    assert VectorHead(8, 6, 29)(features).uvd.shape == (2, 29, 3)
