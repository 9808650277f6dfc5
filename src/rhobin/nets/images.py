"""Images of samples as the networks see them."""

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
    planes = torch.empty(image.shape, device=image.device)
    for channel, (mean, std) in enumerate(zip(MEAN, STD, strict=True)):
        # one pass over the memory: a number plus alpha times the bytes
        torch.add(torch.tensor(-mean / std), image[:, channel], alpha=1 / (255 * std), out=planes[:, channel])
    return planes
