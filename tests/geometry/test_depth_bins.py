import numpy as np
import pytest
import torch

from rhobin.geometry.camera import crop_intrinsics
from rhobin.geometry.depth_bins import DepthBins

BINS = DepthBins(near=0.4, far=6.4, count=64, focal=0.4784)


def test_bins_divide_the_octaves_evenly():
    edges = [BINS.depth(i - 0.5, BINS.focal) for i in range(65)]
    np.testing.assert_allclose(edges[::16], [0.4, 0.8, 1.6, 3.2, 6.4])
    np.testing.assert_allclose(np.diff(np.log(edges)), np.log(16) / 64)


@pytest.mark.parametrize("focal", [0.3, 0.4784, 2.0])
def test_depth_is_the_inverse_of_position(focal):
    for depth in (0.7, 2.0, 5.5):
        place = BINS.position(depth, focal)
        assert BINS.depth(place, focal) == pytest.approx(depth)
        answer = BINS.depth(torch.tensor([place, place]), torch.tensor([focal, focal]))
        assert torch.allclose(answer, torch.tensor([depth, depth]), rtol=1e-5)


def test_same_picture_same_bin():
    """Twice as far and twice as near in the crop: what is seen is the same, and so is the bin."""
    K = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
    whole = crop_intrinsics(K, np.array([1023.5, 767.5]), 2048.0, 256)[0, 0] / 256
    half = crop_intrinsics(K, np.array([700.0, 700.0]), 1024.0, 256)[0, 0] / 256
    assert BINS.position(3.0, half) == pytest.approx(BINS.position(1.5, whole))
    apparent = BINS.near * 16 ** ((BINS.position(2.5, whole) + 0.5) / 64)
    assert apparent == pytest.approx(2.5, rel=1e-4), "in a whole image of kinect 1 it is depth itself"
