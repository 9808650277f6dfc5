"""Any network of timm that gives feature maps, with mask planes beside RGB."""

from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from rhobin.nets.features import Features
from rhobin.nets.weights import create_network


class TimmFeatures(nn.Module):
    """The feature map of one stage of a timm network.

    Args:
        variant: timm name with its weights' tag, such as `resnet34.tv_in1k`.
        in_channels: RGB and mask planes.
        stage: which of the network's feature maps; -1, the deepest.
        weights: None for random, `imagenet` for timm's download, or the path of a state dict in timm's names.
    """

    def __init__(
        self,
        variant: str = "resnet34.tv_in1k",
        in_channels: int = 3,
        stage: int = -1,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        kinds: Any = {"features_only": True, "out_indices": (stage,), "in_chans": in_channels}
        net = create_network(variant, weights, **kinds)
        self.net = net
        self.grid_channels = self.pooled_channels = net.feature_info.channels()[-1]
        self.stem_channels = self.grid_channels

    def forward(
        self, image: Float[Tensor, "B P H W"], context: Float[Tensor, "B S"] | None = None
    ) -> Features:
        """Features of an image.

        Args:
            image: (B, P, H, W); H and W are multiples of the stage's stride.
            context: (B, grid_channels) added to every cell of the map: stems differ from network to network.

        Returns:
            Features with grid (B, C, H/s, W/s) and pooled (B, C), s the stage's stride.
        """
        grid = self.net(image)[-1]
        if context is not None:
            grid = grid + context[:, :, None, None]
        return Features(grid, grid.mean((2, 3)))
