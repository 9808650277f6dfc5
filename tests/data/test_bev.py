"""BEV's maps: its own kernels, and a centre that can be read back in metres."""

import numpy as np
import pytest
import torch

from rhobin.data.targets.bev import BevConfig, disc_radius, draw_bev, paint_ball, paint_disc
from rhobin.geometry.camera import crop_intrinsics, project

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
CONFIG = BevConfig(stride=4, bins=32)


def test_front_view_is_bevs_scale_adaptive_heatmap(oracle):
    vectors = oracle("romp_heatmaps")
    for case in range(4):
        centres, boxes = vectors[f"hm2d/{case}/centers_xy"], vectors[f"hm2d/{case}/bbox_hw_norm"]
        expected = vectors[f"hm2d/{case}/adaptive"][0]
        size = len(expected)
        heatmap = np.zeros((size, size), np.float32)
        for centre, box, radius in zip(centres, boxes, vectors[f"hm2d/{case}/radius"], strict=True):
            assert disc_radius(box, size) == radius
            cell = ((centre + 1) / 2 * size).astype(int)[::-1]
            if (cell < size).all():  # a centre on the far border is outside
                paint_disc(heatmap, cell, radius)
        np.testing.assert_allclose(heatmap, expected, atol=1e-6)
        assert np.array_equal(heatmap == 1, expected == 1)


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_disc_is_romps_gaussian(oracle, radius):
    heatmap = np.zeros((2 * radius + 1, 2 * radius + 1))
    paint_disc(heatmap, np.array([radius, radius]), radius)
    np.testing.assert_allclose(heatmap, oracle("romp_heatmaps")[f"gaussian2D/radius{radius}"], atol=1e-6)


def test_volume_is_bevs_depth_adaptive_heatmap(oracle):
    vectors = oracle("romp_heatmaps")
    for case in range(3):
        expected = vectors[f"hm3d/{case}/adaptive"]
        volume = np.zeros_like(expected)
        for x, y, z in vectors[f"hm3d/{case}/centers_xyz"]:
            paint_ball(volume, np.array([z, y, x]))
        np.testing.assert_allclose(volume, expected, atol=1e-6)
        assert np.array_equal(volume == 1, expected == 1)


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
    with pytest.raises(ValueError, match=r"data.bev: expected 0 < near < far.*near 7.0, far 6.4"):
        BevConfig(near=7.0)
    with pytest.raises(ValueError, match=r"data.bev.depth is 'log'; expected one of even, bev"):
        BevConfig(depth="log")
    with pytest.raises(ValueError, match=r"data.bev.bins is 48; data.bev.depth=bev needs a multiple of 32"):
        BevConfig(depth="bev", bins=48)
