import numpy as np
import pytest
import torch

from rhobin.geometry.camera import crop_intrinsics
from rhobin.geometry.depth_bins import BEV_FOCAL, bev_bins, even_bins

EVEN = even_bins(near=0.4, far=6.4, count=64, focal=0.4784)


def depth_at(bins, position, focal):
    return float(bins.depth(torch.tensor(position, dtype=torch.float64), torch.tensor(focal).double()))


def test_even_bins_divide_the_octaves():
    centres = [depth_at(EVEN, float(i), EVEN.focal) for i in range(64)]
    np.testing.assert_allclose(np.diff(np.log(centres)), np.log(16) / 64)
    edges = [depth_at(EVEN, i - 0.5, EVEN.focal) for i in (0, 16, 32, 48, 64)]
    np.testing.assert_allclose(edges, [0.4, 0.8, 1.6, 3.2, 6.4], rtol=1e-3)


@pytest.mark.parametrize("bins", [EVEN, bev_bins(64)])
@pytest.mark.parametrize("focal", [0.3, 0.4784, 2.0])
def test_depth_is_the_inverse_of_position(bins, focal):
    for depth in (0.3, 0.7, 2.0, 5.5, 9.0):
        assert depth_at(bins, bins.position(depth, focal), focal) == pytest.approx(depth)


def test_depth_has_a_gradient():
    place = torch.tensor([10.2, 40.9], dtype=torch.float64, requires_grad=True)
    focal = torch.full((2,), 0.5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: EVEN.depth(x, focal), place)


@pytest.mark.parametrize(("depth", "outside"), [(0.39, True), (0.41, False), (6.3, False), (6.5, True)])
def test_outside_is_beyond_half_a_bin(depth, outside):
    place = EVEN.position(depth, EVEN.focal)
    assert (place < -0.5 or place > 63.5) == outside


def test_same_picture_same_bin():
    """Twice as far and twice as near in the crop: what is seen is the same, and so is the bin."""
    K = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
    whole = crop_intrinsics(K, np.array([1023.5, 767.5]), 2048.0, 256)[0, 0] / 256
    half = crop_intrinsics(K, np.array([700.0, 700.0]), 1024.0, 256)[0, 0] / 256
    assert EVEN.position(3.0, half) == pytest.approx(EVEN.position(1.5, whole))
    centre = depth_at(EVEN, round(EVEN.position(2.5, whole)), EVEN.focal)
    assert centre == pytest.approx(2.5, rel=0.025), "in a whole image of kinect 1 it is depth itself"


@pytest.mark.parametrize(("count", "size"), [(64, 128), (32, 64)])
def test_bev_bins_are_bevs(oracle, count, size):
    """Its anchors are 1 / (Z tan 30 deg)."""
    anchors = oracle("romp_camera_parse")[f"cam3dmap_anchor_fov60_size{size}"]
    np.testing.assert_allclose(np.array(bev_bins(count).scales) / np.tan(np.pi / 6), anchors, rtol=1e-6)


def test_the_nearest_bev_bin_is_bevs_choice(oracle):
    vectors, bins = oracle("romp_camera_parse"), bev_bins(32)
    for scale, level in zip(vectors["cam_syx"][:, 0], vectors["depth_level"], strict=True):
        place = bins.position(float(1 / (scale * np.tan(np.pi / 6))), BEV_FOCAL)
        assert np.clip(round(place), 0, 31) == level


def test_bev_bins_come_in_multiples_of_32():
    with pytest.raises(ValueError, match="multiples of 32 bins, not 48"):
        bev_bins(48)
