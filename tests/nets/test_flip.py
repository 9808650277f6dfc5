import pytest
import torch

from rhobin.body.joints import JOINTS29_NAMES
from rhobin.nets.flip import flip_uvd, flip_volume
from rhobin.nets.heatmap import soft_argmax

LEFT, RIGHT = JOINTS29_NAMES.index("left_wrist"), JOINTS29_NAMES.index("right_wrist")


@pytest.fixture
def logits():
    return torch.randn(2, 29, 5, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_mirrored_peak_lies_as_far_from_the_other_edge_on_the_other_side(logits):
    logits[0, LEFT, 2, 3, 1] = 500
    flipped = flip_volume(logits)
    assert flipped[0, RIGHT, 2, 3, 5] == 500
    assert flip_volume(logits, shift=True)[0, RIGHT, 2, 3, 6] == 500
    assert (flipped == 500).sum() == 1


def test_flipping_twice_is_nothing(logits):
    assert torch.equal(flip_volume(flip_volume(logits)), logits)
    uvd = soft_argmax(logits)
    assert (flip_uvd(uvd, 7) - uvd).abs().max() > 0.1
    torch.testing.assert_close(flip_uvd(flip_uvd(uvd, 7), 7), uvd, rtol=0, atol=1e-15)


@pytest.mark.parametrize("axes", [(), (5,)])
def test_mirrored_maps_read_as_mirrored_coordinates(axes):
    logits = torch.randn(2, 29, *axes, 6, 7, dtype=torch.float64)
    planar = torch.zeros(2, 29, 1, dtype=torch.float64)
    mirrored, plain = (soft_argmax(x) for x in (flip_volume(logits), logits))
    if not axes:
        mirrored, plain = (torch.cat((x, planar), dim=-1) for x in (mirrored, plain))
    torch.testing.assert_close(mirrored, flip_uvd(plain, 7))


def test_averaged_volumes_read_as_averaged_coordinates(logits):
    """So flip testing needs no volumes."""
    other = torch.randn_like(logits)
    mean = (logits.flatten(2).softmax(2) + flip_volume(other).flatten(2).softmax(2)) / 2
    averaged = soft_argmax(mean.log().view_as(logits))
    expected = (soft_argmax(logits) + flip_uvd(soft_argmax(other), 7)) / 2
    torch.testing.assert_close(averaged, expected)


def test_a_mirrored_image_moves_its_pixels_as_told():
    """Column c of a picture of 32 shows at c / 32 - 0.5, mirrored at column 31 - c."""
    picture = torch.full((1, 29, 32, 32), -100.0).double()
    picture[:, :, 4, 11] = 100
    uv = torch.cat((soft_argmax(picture), torch.zeros(1, 29, 1).double()), dim=-1)
    assert uv[0, 0, 0] == 11 / 32 - 0.5
    torch.testing.assert_close(flip_uvd(uv, 32)[0, 0], torch.tensor([20 / 32, 4 / 32, 0.5]).double() - 0.5)
