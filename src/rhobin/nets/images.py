"""Images of samples as the networks see them."""

from functools import cache

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

MEAN = (0.485, 0.456, 0.406, 0.0, 0.0)
STD = (0.229, 0.224, 0.225, 1.0, 1.0)
"""Of red, green and blue: ImageNet's, which the backbones were trained with. Masks become 0 or 1."""


def normalized(image: UInt8[Tensor, "B 5 H W"]) -> Float32[Tensor, "B 5 H W"]:
    """Subtract the mean of each channel and divide by its deviation, on the image's own device.

    Args:
        image: (B, 5, H, W) uint8: red, green, blue and two masks, 0 to 255.

    Returns:
        (B, 5, H, W); ImageNet's mean colour is 0, masks are 0 or 1.
    """
    mean, std = _levels(image.device)
    return image.float().sub_(mean).div_(std)


@cache
def _levels(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation (1, 5, 1, 1) of levels 0 to 255, kept: each copy to a device would wait for it."""
    with torch.inference_mode(False):
        mean, std = (255 * torch.tensor(values, device=device).view(1, 5, 1, 1) for values in (MEAN, STD))
    return mean, std
