import math

import pytest
import torch

from rhobin.nets.features import Features
from rhobin.nets.heatmap import DepthMapHead, PlanarHead, VolumetricHead, soft_argmax


@pytest.mark.parametrize(("u", "v", "d"), [(0, 0, 0), (5, 11, 3), (7, 15, 7), (2, 0, 6)])
def test_a_peak_reads_its_cell_over_the_length_minus_half(u, v, d):
    logits = torch.zeros(1, 1, 8, 16, 8)
    logits[0, 0, d, v, u] = 200.0
    torch.testing.assert_close(soft_argmax(logits)[0, 0], torch.tensor([u / 8, v / 16, d / 8]) - 0.5)


def test_two_equal_peaks_meet_in_the_middle():
    logits = torch.full((1, 2, 8, 8), -100.0)
    logits[0, 0, 2, 1] = logits[0, 0, 2, 5] = 0.0
    logits[0, 1, 6, 4] = 0.0
    expected = torch.tensor([[[3 / 8 - 0.5, 2 / 8 - 0.5], [4 / 8 - 0.5, 6 / 8 - 0.5]]])
    torch.testing.assert_close(soft_argmax(logits), expected)


def test_matches_a_sum_over_cells():
    logits = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    expected = torch.zeros(2, 3, 3, dtype=torch.float64)
    for b in range(2):
        for k in range(3):
            total = logits[b, k].exp().sum()
            for d in range(4):
                for v in range(5):
                    for u in range(6):
                        p = math.exp(logits[b, k, d, v, u]) / total
                        expected[b, k] += p * torch.tensor([u / 6, v / 5, d / 4])
    torch.testing.assert_close(soft_argmax(logits), expected - 0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VolumetricHead(6, 5, 3, depth_bins=4),
        lambda: PlanarHead(6, 5, 3),
        lambda: DepthMapHead(6, 5, 3),
    ],
)
def test_heads_give_points_and_uncertainties_and_learn_both(make):
    torch.manual_seed(0)
    head = make()
    keypoints = head(Features(torch.randn(2, 6, 8, 8), torch.randn(2, 5)))
    assert keypoints.uvd.shape == (2, 3, 3)
    assert keypoints.sigma.shape == (2, 3)
    assert ((keypoints.sigma > 0) & (keypoints.sigma < 1)).all()
    (keypoints.uvd.sum() + keypoints.sigma.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters() if p.dim() > 1)


def test_a_volumetric_peak_comes_from_its_own_keypoint_and_bin():
    head = VolumetricHead(2, 1, 2, depth_bins=4)
    torch.nn.init.zeros_(head.heatmap.weight)
    with torch.no_grad():
        head.heatmap.bias.fill_(-50.0)
        head.heatmap.bias[1 * 4 + 3] = 50.0
    uvd = head(Features(torch.randn(1, 2, 8, 8), torch.randn(1, 1))).uvd
    assert uvd[0, 1, 2].item() == pytest.approx(3 / 4 - 0.5)
    assert uvd[0, 0, 2].item() == pytest.approx(1.5 / 4 - 0.5)


def test_depth_is_read_from_its_map_where_the_heatmap_points():
    head = DepthMapHead(3, 1, 2)
    for parameter in head.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        head.maps.weight[:2, 0] = 100.0  # heatmaps of both keypoints
        head.maps.weight[2, 1], head.maps.weight[3, 2] = 1.0, 1.0  # their depth maps
        head.depth.bias[1] = 0.25
    grid = torch.randn(1, 3, 8, 8)
    grid[0, 0], grid[0, 0, 5, 3] = 0.0, 1.0
    uvd = head(Features(grid, torch.randn(1, 1))).uvd[0]
    place = torch.tensor([3 / 8, 5 / 8]) - 0.5
    torch.testing.assert_close(
        uvd, torch.cat([place.expand(2, 2), (grid[0, 1:, 5, 3] + torch.tensor([0, 0.25]))[:, None]], 1)
    )
