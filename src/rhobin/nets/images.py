"""Images of samples as the networks see them."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of red, green and blue: ImageNet's, which the backbones were trained with."""


def normalized(image: UInt8[Tensor, "B P H W"]) -> Float32[Tensor, "B P H W"]:
    """Subtract the mean of each channel and divide by its deviation, on the image's own device.

    Args:
        image: (B, P, H, W) uint8, 0 to 255: red, green, blue, then any number of masks.

    Returns:
        (B, P, H, W); ImageNet's mean colour is 0, masks are 0 or 1.
    """
    masks = image.shape[1] - len(MEAN)
    statistics = zip((*MEAN, *masks * (0.0,)), (*STD, *masks * (1.0,)), strict=True)
    planes = torch.empty(image.shape, device=image.device)
    for channel, (mean, std) in enumerate(statistics):
        # one pass over the memory: a number plus alpha times the bytes
        torch.add(torch.tensor(-mean / std), image[:, channel], alpha=1 / (255 * std), out=planes[:, channel])
    return planes
