"""KHOR's network: human keypoints, shape and twist, object keypoints, one backbone (report sec. 3.3.1)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from rhobin.nets.heatmap import Keypoints

JOINTS, KEYPOINTS, BETAS, TWISTS = 29, 8, 10, 23


class KhorOutput(NamedTuple):
    """Raw predictions of a batch.

    Attributes:
        human: 29 joints in heatmap coordinates, d from the pelvis.
        object: 8 object keypoints in the same coordinates.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, not normalised.
    """

    human: Keypoints
    object: Keypoints
    beta: Float[Tensor, "B 10"]
    twist: Float[Tensor, "B 23 2"]


class KhorNet(nn.Module):
    """HKNet and OKNet on shared features.

    Args:
        backbone: maps (B, 5, H, W) to Features; tells `grid_channels`, `pooled_channels`, `stem_channels`.
        head: makes a keypoint head from (grid_channels, pooled_channels, keypoints).
        object_classes: number of classes whose embedding is added to the stem's output; 0, as in the paper,
            tells the network nothing about the class.
    """

    def __init__(self, backbone: Any, head: Callable[..., nn.Module], object_classes: int = 0) -> None:
        super().__init__()
        self.backbone = backbone
        grid, pooled = backbone.grid_channels, backbone.pooled_channels
        self.human = head(grid_channels=grid, pooled_channels=pooled, keypoints=JOINTS)
        self.object = head(grid_channels=grid, pooled_channels=pooled, keypoints=KEYPOINTS)
        self.beta = nn.Linear(pooled, BETAS)
        self.twist = nn.Linear(pooled, TWISTS * 2)
        self.object_class = nn.Embedding(object_classes, backbone.stem_channels) if object_classes else None

    def forward(self, image: Float[Tensor, "B 5 H W"], object_id: Int[Tensor, " B"]) -> KhorOutput:
        """Predict keypoints, shape and twist of a batch of crops.

        Args:
            image: (B, 5, H, W) normalised RGB, human mask, object mask.
            object_id: (B,) index of the object's class; read only with a class embedding.
        """
        context = None if self.object_class is None else self.object_class(object_id)
        features = self.backbone(image, context)
        return KhorOutput(
            human=self.human(features),
            object=self.object(features),
            beta=self.beta(features.pooled).float(),
            twist=self.twist(features.pooled).float().unflatten(-1, (TWISTS, 2)),
        )
