"""Patch-PnP: a pose from dense 2D-3D correspondences (GDR-Net, `conv_pnp_net.py`)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.geometry.precision import full_precision
from rhobin.nets.geometry_head import initialize


class PatchPnP(nn.Module):
    """Strided convolutions over a map of correspondences, then fully connected layers.

    Args:
        in_channels: of the map.
        size: width and height of the map, a multiple of 8.
        context: length of a vector that the fully connected layers read beside the map; 0 for none.
        channels: of the three convolutions.
        hidden: widths of the fully connected layers.
        std: of the initial weights, as in GDR-Net; None for PyTorch's own.
        start: the pose (9 numbers) that an untrained network predicts.
    """

    def __init__(
        self,
        in_channels: int,
        size: int,
        start: Sequence[float],
        context: int = 0,
        channels: int = 128,
        hidden: Sequence[int] = (1024, 256),
        std: float | None = 0.001,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs in (in_channels, channels, channels):
            conv = nn.Conv2d(inputs, channels, 3, stride=2, padding=1, bias=False)
            layers += [conv, nn.GroupNorm(min(32, channels // 2), channels), nn.ReLU(inplace=True)]
        self.convs = nn.Sequential(*layers)
        widths = (channels * (size // 8) ** 2 + context, *hidden)
        dense = [(nn.Linear(i, o), nn.LeakyReLU(0.1, inplace=True)) for i, o in pairwise(widths)]
        self.dense = nn.Sequential(*(layer for pair in dense for layer in pair))
        if std is not None:
            initialize(self, std)
        self.pose = nn.Linear(widths[-1], 9)
        nn.init.normal_(self.pose.weight, std=0.01)
        with torch.no_grad():
            self.pose.bias.copy_(torch.as_tensor(start))

    def forward(
        self, correspondences: Float[Tensor, "B C H W"], context: Float[Tensor, "B S"] | None = None
    ) -> tuple[Float[Tensor, "B 6"], Float[Tensor, "B 3"]]:
        """Rotation as two columns (B, 6), and translation (B, 3) in the form that it is trained in."""
        x = self.convs(correspondences).flatten(1)
        x = x if context is None else torch.cat([x, context], dim=1)
        return self._read(self.dense(x)).split((6, 3), dim=1)

    @full_precision
    def _read(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B 9"]:
        return self.pose(x)
