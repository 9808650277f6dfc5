import pytest
import torch

from rhobin.nets.images import normalized


@pytest.mark.parametrize("planes", [3, 4, 5])
def test_normalized_images_are_torchvisions_and_masks_are_0_or_1(planes):
    image = torch.randint(0, 256, (2, planes, 4, 6), generator=torch.Generator().manual_seed(0)).to(
        torch.uint8
    )
    image[:, 3:] = torch.where(image[:, 3:] > 127, 255, 0)
    found = normalized(image)
    color = image[:, :3].double() / 255
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        expected = (color[:, channel] - mean) / std
        assert torch.allclose(found[:, channel].double(), expected, atol=1e-6)
    assert torch.equal(found[:, 3:], (image[:, 3:] > 0).float())
    assert found.shape == image.shape
    assert found.dtype == torch.float32
    assert image.dtype == torch.uint8
