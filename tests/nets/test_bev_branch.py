"""The BEV branch: BEV's own arrays with its weights, and what ours does otherwise."""

from pathlib import Path

import hydra
import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from rhobin.data.targets.bev import BevConfig, draw_bev
from rhobin.geometry.bev_camera import bev_anchors
from rhobin.geometry.camera import crop_intrinsics
from rhobin.nets.bev import BevBranch
from rhobin.nets.bev_blocks import BAND, LineBlock, VolumeBlock, coordinate_volume, cross, volume_conv
from rhobin.nets.focal import bev_focal
from rhobin.nets.peaks import find_centre, read_cell
from rhobin.types import BevMaps

CONFIGS = Path(__file__).parents[2] / "configs" / "bev_branch"


class Fixed(nn.Module):
    """A layer that remembers what it is given, and answers with what it was told."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        self.given = x
        return self.answer


@pytest.fixture
def bev(oracle):
    return {name: torch.from_numpy(value) for name, value in oracle("romp_bev").items()}


def load(module, vectors, prefix):
    state = {name.removeprefix(prefix): value for name, value in vectors.items() if name.startswith(prefix)}
    module.load_state_dict(state)
    return module.eval()


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def small(**changes):
    torch.manual_seed(0)
    sizes = {"grid_channels": 5, "rows": 6, "bins": 4, "channels": 8, "squeezed": 3, "hidden": 16}
    return BevBranch(**{**sizes, **changes})


def with_views(branch, plane, line):
    branch.front, branch.bird = Fixed(plane), Fixed(line)
    return branch.eval()


def test_blocks_are_bevs(bev):
    outputs, inputs, _ = bev["block1d/state/conv1.weight"].shape
    line = load(LineBlock(inputs, outputs), bev, "block1d/state/")
    close(line(bev["block1d/in"]), bev["block1d/out"])
    volume = load(VolumeBlock(bev["block3d/in"].shape[1]), bev, "block3d/state/")
    close(volume(bev["block3d/in"]), bev["block3d/out"])


def test_legacy_branch_is_bevs(bev):
    """Its two views are given, as in the reference; what is made of them is compared."""
    bins, rows = len(bev["depth_anchor"]), bev["front_view_maps"].shape[2]
    branch = BevBranch(7, rows, bins, legacy=True, anchors=bev["depth_anchor"].tolist())
    with_views(branch, bev["front_view_maps"], bev["bv_head_output"])
    branch.squeeze = Fixed(bev["bv_features"])
    load(branch.refine_centre, bev, "state/center_map_refiner.0.")
    load(branch.refine_offset, bev, "state/cam_map_refiner.0.")
    unrefined = {}
    for name in ("centre", "offset"):
        block = getattr(branch, f"refine_{name}")
        block.register_forward_pre_hook(lambda _, args, name=name: unrefined.update({name: args[0]}))
    output = branch(torch.zeros(2, 7, rows, rows))
    close(branch.bird.given, bev["bv_head_input"])
    close(output.front[:, None], bev["center_map_front"])
    close(output.bird, bev["bv_head_output"][:, :bins])
    close(unrefined["centre"][:, 0], bev["center_map_3d_product"])
    close(output.volume, bev["center_map_3d_refined"])
    close(unrefined["offset"].movedim(1, -1), bev["cam_maps_3d_before_refiner_bdhwc"])
    close(output.offset, bev["cam_maps_3d_refined"])
    volume = coordinate_volume(bev["depth_anchor"], rows, rows)
    close(volume.movedim(0, -1)[None], bev["coordmap_3d_zyx"])


def test_legacy_branch_takes_bevs_depths_and_ends_in_relu():
    branch = small(bins=32, legacy=True)
    torch.testing.assert_close(branch.anchors, torch.tensor(bev_anchors(32)))
    assert (branch(torch.randn(2, 5, 6, 9)).bird >= 0).all()


def test_views_and_volume_are_probabilities_and_volume_begins_as_their_product():
    branch = small()
    output = branch(3 * torch.randn(2, 5, 6, 9))
    assert [tuple(value.shape) for value in output] == [(2, 6, 9), (2, 4, 9), (2, 4, 6, 9), (2, 3, 4, 6, 9)]
    for heatmap in output[:3]:
        assert ((heatmap > 0) & (heatmap < 1)).all()
    expected = torch.einsum("byx,bzx->bzyx", output.front, output.bird)
    torch.testing.assert_close(output.volume, expected, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(output.front[..., :-1], output.front[..., 1:])


def test_untrained_views_begin_at_the_prior():
    branch = small(prior=0.02)
    for layer in (branch.front[1], branch.bird[2].conv2):
        nn.init.zeros_(layer.weight)
    output = branch(torch.randn(2, 5, 6, 9))
    torch.testing.assert_close(output.front, torch.full((2, 6, 9), 0.02))
    torch.testing.assert_close(output.bird, torch.full((2, 4, 9), 0.02))
    assert not output.offset.any()


def test_the_offset_seen_from_above_goes_to_depth():
    plane, line = torch.randn(2, 4, 6, 9), torch.randn(2, 8, 9)
    offset = with_views(small(), plane, line)(torch.zeros(2, 5, 6, 9)).offset
    for z in range(4):
        for y in range(6):
            torch.testing.assert_close(offset[:, 0, z, y], plane[:, 1, y] + line[:, 4 + z])
            torch.testing.assert_close(offset[:, 1:, z, y], plane[:, 2:, y])


def test_sure_views_give_finite_volumes_and_gradients():
    """Logits that saturate float32, in one view and in both."""
    plane, line = torch.zeros(1, 4, 6, 9), torch.zeros(1, 8, 9)
    plane[:, 0], line[:, :4] = -400.0, -400.0
    plane[0, 0, 2, 3] = line[0, 1, 3] = 400.0
    plane.requires_grad_()
    line.requires_grad_()
    volume = with_views(small(), plane, line)(torch.zeros(1, 5, 6, 9)).volume
    assert volume.argmax() == 1 * 54 + 2 * 9 + 3
    assert ((volume > 0) & (volume < 1)).all()
    (volume.log().sum() + (1 - volume).log().sum()).backward()
    assert plane.grad.isfinite().all()
    assert line.grad.isfinite().all()


def test_a_map_of_other_height_is_resampled_for_the_view_from_above():
    branch = small().eval()
    grid = torch.randn(2, 5, 1, 9).expand(2, 5, 12, 9)
    output = branch(grid)
    assert output.volume.shape == (2, 4, 12, 9)
    rows = branch.squeeze(grid)[:, :, 4:8].mean(2)
    seen = branch._folded(torch.cat([branch.front(grid), branch.squeeze(grid)], 1)).unflatten(1, (7, 6))
    torch.testing.assert_close(seen[:, 4:, 2:4].mean(2), rows)


def test_mixed_precision_keeps_heatmaps_in_single():
    with torch.autocast("cpu", torch.bfloat16):
        output = small()(torch.randn(2, 5, 6, 9))
    assert {value.dtype for value in output} == {torch.float32}


def test_branch_learns_four_centres():
    """Features that differ by sample only: the branch must place each centre, in all three axes."""
    K = crop_intrinsics(torch.tensor([[980.0, 0, 1019], [0, 980, 779], [0, 0, 1]]).double().numpy(),
                        torch.tensor([1023.5, 767.5]).numpy(), 2048.0, 32)  # fmt: skip
    config = BevConfig(bins=16)
    points = torch.tensor([[0.1, 0.2, 2.4], [-0.5, 0.1, 1.5], [0.6, -0.4, 3.3], [0.2, 0.5, 2.0]]).double()
    drawn = [draw_bev(point.numpy(), torch.tensor([0.3, 0.6]).numpy(), K, config, 32) for point in points]
    maps = BevMaps(*map(torch.stack, zip(*(vars(one).values() for one in drawn), strict=True)))
    branch = small(grid_channels=8, rows=8, bins=16, hidden=32)
    grid = torch.randn(4, 8, 8, 8)
    optimizer = torch.optim.Adam(branch.parameters(), 0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 120)
    for _ in range(120):
        output = branch(grid)
        wrong = (read_cell(output.offset, maps.cell) - maps.offset).abs().mean()
        optimizer.zero_grad()
        (sum(bev_focal(output, maps)) + wrong).backward()
        optimizer.step()
        schedule.step()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in branch.parameters())
    centre = find_centre(output.volume, output.offset)
    assert torch.equal(centre.cell, maps.cell)
    assert (centre.position - maps.cell - maps.offset).abs().max() < 0.15
    assert centre.score.min() > 0.5


@pytest.mark.parametrize(("preset", "rows", "bins"), [("small", 32, 16), ("paper", 160, 64)])
def test_presets_fit_their_maps(preset, rows, bins):
    with torch.device("meta"):
        make = hydra.utils.instantiate(OmegaConf.load(CONFIGS / f"{preset}.yaml"))
        branch = make(grid_channels=64, rows=rows, bins=bins)
        output = branch(torch.empty(2, 64, rows, rows))
    assert output.offset.shape == (2, 3, bins, rows, rows)
    assert cross(output.front, output.bird).shape == output.volume.shape


@pytest.mark.parametrize(("channels", "outputs", "depth"), [(1, 1, 8), (3, 3, 21), (2, 4, 1), (3, 3, 40)])
def test_a_volume_is_convolved_alike_as_planes_and_in_three_dimensions(channels, outputs, depth):
    """On both sides of the limit, with their gradients, to what single precision adds up differently."""
    torch.manual_seed(0)
    x, weight = torch.randn(2, channels, depth, 6, 5), torch.randn(outputs, channels, 3, 3, 3)
    told = []
    for conv in (volume_conv, lambda x, w: torch.nn.functional.conv3d(x, w, padding=1)):
        inputs = [value.clone().requires_grad_() for value in (x, weight)]
        result = conv(*inputs)
        result.square().sum().backward()
        told.append([result, *(value.grad for value in inputs)])
    for ours, theirs in zip(*told, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().abs().max()))
    assert 3 * 21 <= BAND < 3 * 40, "the cases lie on both sides"
