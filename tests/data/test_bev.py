"""BEV's maps: its own kernels, and a centre that can be read back in metres."""

import numpy as np
import pytest
import torch

from rhobin.data.targets.bev import BevConfig, ball_profiles, disc_profiles, disc_radius, draw_bev, profiles
from rhobin.data.targets.bev_crowd import kept_inside, moved_apart
from rhobin.geometry.camera import crop_intrinsics, project
from rhobin.types import BevMaps

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
CONFIG = BevConfig(stride=4, bins=32)


def front_view(centres, draw, size):
    """The larger of every person's kernel; a centre on the far border is outside."""
    heatmap = np.zeros((size, size))
    for person, centre in enumerate(centres):
        cell = ((centre + 1) / 2 * size).astype(int)[::-1]
        if (cell < size).all():
            heatmap = np.maximum(heatmap, np.outer(*draw(cell, person)))
    return heatmap


def same(heatmap, expected):
    np.testing.assert_allclose(heatmap, expected, atol=1e-6)
    assert np.array_equal(heatmap == 1, expected == 1)


@pytest.mark.parametrize("case", range(4))
def test_front_views_are_bevs(oracle, case):
    """Its scale-adaptive kernels, the same on centres moved apart, and the fixed one of 5 x 5 cells."""
    vectors = {
        name.split("/")[-1]: value
        for name, value in oracle("romp_heatmaps").items()
        if f"hm2d/{case}/" in name
    }
    centres, size = vectors["centers_xy"], vectors["adaptive"].shape[-1]
    radii = [disc_radius(box, size) for box in vectors["bbox_hw_norm"]]
    assert radii == vectors["radius"].tolist()

    def adaptive(cell, person):
        return disc_profiles(cell, radii[person], size)

    same(front_view(centres, adaptive, size), vectors["adaptive"][0])
    same(front_view(centres, lambda cell, _: profiles(cell, 2, 2.0, size), size), vectors["fixed5"][0])
    apart = moved_apart(centres, np.array(radii), vectors["occluded_by"], size)
    np.testing.assert_allclose(apart, vectors["centers_after_collision"], atol=1e-6)
    same(front_view(kept_inside(apart), adaptive, size), vectors["adaptive_collision_aware"][0])


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_disc_is_romps_gaussian(oracle, radius):
    heatmap = np.outer(*disc_profiles(np.array([radius, radius]), radius, 2 * radius + 1))
    np.testing.assert_allclose(heatmap, oracle("romp_heatmaps")[f"gaussian2D/radius{radius}"], atol=1e-6)


@pytest.mark.parametrize("case", range(3))
def test_volumes_are_bevs(oracle, case):
    """Its depth-adaptive kernel, and one of 7 cells along each axis."""
    vectors = oracle("romp_heatmaps")
    expected = vectors[f"hm3d/{case}/adaptive"]
    bins, size = expected.shape[:2]
    adaptive, fixed = np.zeros_like(expected), np.zeros_like(expected)
    for x, y, z in vectors[f"hm3d/{case}/centers_xyz"]:
        along_depth, planar = ball_profiles(np.array([z, y, x]), bins, size)
        adaptive = np.maximum(adaptive, np.einsum("d,h,w->dhw", along_depth[0], *planar))
        axes = [profiles(np.array([at]), 3, 49 / 36, n)[0] for at, n in ((z, bins), (y, size), (x, size))]
        fixed = np.maximum(fixed, np.einsum("d,h,w->dhw", *axes))
    same(adaptive, expected)
    same(fixed, vectors[f"hm3d/{case}/fixed_radius3"])


def crop(centre, side, size=256):
    return crop_intrinsics(KINECT, np.array(centre, float), float(side), size)


@pytest.mark.parametrize(
    ("pelvis", "square"),
    [
        ((0.1, 0.2, 2.4), ((1023.5, 767.5), 2048)),
        ((0.8, -0.1, 1.9), ((1400, 800), 700)),
        ((-0.4, 0.3, 4.0), ((900, 850), 400)),
    ],
)
@pytest.mark.parametrize("config", [CONFIG, BevConfig(depth="bev")])
def test_the_centre_is_read_back_in_metres(config, pelvis, square):
    """Cell plus offset, with nothing but K_crop, is the pelvis: whatever the crop."""
    K_crop, pelvis = crop(*square), np.array(pelvis)
    maps = draw_bev(pelvis, np.array([0.3, 0.7]), K_crop, config, 256)
    assert maps.weight == 1
    assert maps.offset.abs().max() <= 0.5
    z, row, column = (maps.cell + maps.offset).double().tolist()
    depth = config.depth_bins.depth(torch.tensor(z), torch.tensor(K_crop[0, 0] / 256))
    assert float(depth) == pytest.approx(pelvis[2], rel=1e-5)
    pixel = np.array([column, row]) * 4 + 1.5
    assert np.abs(pixel - project(pelvis[None], K_crop)[0]).max() < 1e-3


def dense(cell, radius, spread, shape):
    """A Gaussian in its window, cell by cell."""
    away = np.moveaxis(np.indices(shape), 0, -1) - np.array(cell)
    values = np.exp(-(away**2).sum(axis=-1) / spread)
    return np.where((np.abs(away) <= radius).all(axis=-1), values, 0)


@pytest.mark.parametrize("cell", [(5, 20, 31), (31, 0, 63), (0, 62, 1), (16, 40, 40)])
def test_products_of_profiles_are_the_maps(cell):
    """Of one sample, of a batch, and drawn cell by cell, at borders too."""
    K_crop = crop((1100, 800), 900)
    depth = CONFIG.depth_bins.depth(torch.tensor(float(cell[0])), torch.tensor(K_crop[0, 0] / 256)).item()
    pixel = np.array([cell[2] * 4 + 1.5, cell[1] * 4 + 1.5, 1.0])
    pelvis, extent = depth * np.linalg.inv(K_crop) @ pixel, np.array([0.3, 0.7])
    maps = draw_bev(pelvis, extent, K_crop, CONFIG, 256)
    assert maps.cell.tolist() == list(cell)
    long, wide = int(4 * (1 + cell[0] / 32)) // 2, int(2 * (1 - cell[0] / 32) + 2)
    radius = np.array([long, wide, wide])
    volume = dense(cell, radius, ((2 * radius + 1) ** 2).sum() / 36, (32, 64, 64))
    disc = disc_radius(2 * extent, 64)
    front = dense(cell[1:], disc, (2 * disc + 1) ** 2 / 18, (64, 64))
    expected = {"volume": volume, "bird": volume[:, cell[1]], "front": front}
    other = draw_bev(np.array([0.3, 0.1, 2.0]), extent, K_crop, CONFIG, 256)
    batch = BevMaps(*map(torch.stack, zip(vars(other).values(), vars(maps).values(), strict=True)))
    for name, value in expected.items():
        drawn = getattr(maps, name)
        np.testing.assert_allclose(drawn, value, rtol=0, atol=1e-6)
        assert drawn.dtype == torch.float32
        assert torch.equal(getattr(batch, name), torch.stack([getattr(other, name), drawn]))


def test_the_three_maps_show_one_centre():
    maps = draw_bev(np.array([0.3, 0.1, 2.0]), np.array([0.3, 0.7]), crop((1100, 800), 900), CONFIG, 256)
    assert maps.front.shape == (64, 64)
    assert maps.bird.shape == (32, 64)
    assert maps.volume.shape == (32, 64, 64)
    z, row, column = maps.cell.tolist()
    for heatmap, place in (
        (maps.front, (row, column)),
        (maps.bird, (z, column)),
        (maps.volume, (z, row, column)),
    ):
        assert torch.nonzero(heatmap == 1).tolist() == [list(place)]
        assert heatmap.min() >= 0
        assert heatmap.max() == 1
    assert torch.equal(maps.bird, maps.volume.amax(dim=1))


@pytest.mark.parametrize(
    ("pelvis", "why"),
    [
        ((2.5, 0.1, 2.0), "beside the crop"),
        ((0.3, 0.1, -2.0), "behind the camera"),
        ((0.3, 0.1, 0.05), "before the first bin"),
        ((0.3, 0.1, 60.0), "behind the last bin"),
    ],
)
def test_a_centre_outside_the_volume_weighs_nothing(pelvis, why):
    maps = draw_bev(np.array(pelvis), np.array([0.3, 0.7]), crop((1023.5, 767.5), 2048), CONFIG, 256)
    assert maps.weight == 0, why
    for value in (maps.front, maps.bird, maps.volume, maps.cell, maps.offset):
        assert not value.any()


def test_a_larger_person_makes_a_larger_disc():
    K_crop = crop((1100, 800), 900)
    near, far = (
        draw_bev(np.array([0.3, 0.1, 2.0]), np.array(extent), K_crop, CONFIG, 256).front.sum()
        for extent in ((0.5, 0.9), (0.1, 0.2))
    )
    assert near > 1.5 * far


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"data.targets.bev: expected 0 < near < far.*near 7.0, far 6.4"):
        BevConfig(near=7.0)
    with pytest.raises(ValueError, match=r"data.targets.bev.depth is 'log'; expected one of even, bev"):
        BevConfig(depth="log")
    with pytest.raises(
        ValueError, match=r"data.targets.bev.bins is 48; data.targets.bev.depth=bev needs a multiple of 32"
    ):
        BevConfig(depth="bev", bins=48)
