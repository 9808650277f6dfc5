"""A convolutional network that tells real maps from generated ones."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class MapDiscriminator(nn.Module):
    """3x3 convolutions of stride 2 down to one cell, as in Pix2Pose (`ae_model.py`); 64 x 64 takes six.

    Spectral normalisation stands in place of Pix2Pose's batch normalisation. Its power vectors are buffers:
    they move with every forward pass in training mode, and are part of a checkpoint.

    Args:
        size: width and height of the maps, a power of two.
        channels: of the maps.
        width: channels after the first layer; they double up to eight times that.
    """

    def __init__(self, size: int = 64, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, depth = channels, size.bit_length() - 1
        if size != 2**depth:
            raise ValueError(
                f"the discriminator halves its maps down to one cell; {size} px is no power of 2"
            )
        for layer in range(depth):
            outputs = width * 2 ** min(layer, 3)
            conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            layers += [spectral_norm(conv), nn.LeakyReLU(0.2, inplace=True)]
            inputs = outputs
        self.convs = nn.Sequential(*layers)
        self.score = spectral_norm(nn.Linear(inputs, 1))

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
        """Score (B,) of maps (B, C, size, size): higher is more real; no sigmoid."""
        return self.score(self.convs(maps).flatten(1))[:, 0]


def real_and_fake(
    discriminator: nn.Module, real: Tensor, fake: Tensor
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    """Scores of real and of generated maps, from one pass and so one state of the normalisation."""
    return discriminator(torch.cat([real, fake])).chunk(2)
