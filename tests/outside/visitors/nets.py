"""A small network that says a few numbers of a crop, and what the numbers mean."""

import torch
from torch import Tensor, nn

from rhobin.geometry.camera import unproject
from rhobin.geometry.rotation import project_to_so3


class Numbers(nn.Module):
    """A backbone, dropout, and a linear layer on its pooled features."""

    def __init__(self, backbone: nn.Module, count: int) -> None:
        super().__init__()
        self.backbone, self.drop = backbone, nn.Dropout(0.3)
        self.head = nn.Linear(backbone.pooled_channels, count)

    def forward(self, image: Tensor) -> Tensor:
        """(B, count) numbers of images (B, P, H, W)."""
        return self.head(self.drop(self.backbone(image).pooled)).float()


def rotation_of(numbers: Tensor) -> Tensor:
    """(B, 9) numbers as rotations (B, 3, 3)."""
    return project_to_so3(numbers.unflatten(-1, (3, 3)) + 2 * torch.eye(3, device=numbers.device))


def place_of(numbers: Tensor, K: Tensor, size: int) -> Tensor:
    """(B, 3) numbers, u and v in crop widths and log depth, as points (B, 3) in the camera frame, metres."""
    uv, depth = (numbers[:, :2] + 0.5) * size, 2.5 * numbers[:, 2].exp()
    return unproject(uv[:, None], depth[:, None], K)[:, 0]
