"""KHOR's network: human keypoints, shape and twist, object keypoints, one backbone (report sec. 3.3.1)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from rhobin.nets.heatmap import Keypoints

JOINTS, KEYPOINTS, BETAS, TWISTS = 29, 8, 10, 23


class KhorOutput(NamedTuple):
    """Raw predictions of a batch; None for a part that the network does not predict.

    Attributes:
        human: 29 joints in heatmap coordinates, d from the pelvis.
        object: 8 object keypoints in the same coordinates.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, not normalised.
    """

    human: Keypoints | None = None
    object: Keypoints | None = None
    beta: Float[Tensor, "B 10"] | None = None
    twist: Float[Tensor, "B 23 2"] | None = None


class KhorNet(nn.Module):
    """HKNet and OKNet on shared features.

    Args:
        backbone: maps (B, 5, H, W) to Features; tells `grid_channels`, `pooled_channels`, `stem_channels`.
        head: makes a keypoint head from (grid_channels, pooled_channels, keypoints).
        object_classes: number of classes whose embedding is added to the stem's output; 0, as in the paper,
            tells the network nothing about the class.
        parts: "human", "object" or both: which of the two networks there are.
    """

    def __init__(
        self,
        backbone: Any,
        head: Callable[..., nn.Module],
        object_classes: int = 0,
        parts: Sequence[str] = ("human", "object"),
    ) -> None:
        super().__init__()
        self.backbone, self.parts = backbone, tuple(parts)
        grid, pooled = backbone.grid_channels, backbone.pooled_channels
        if "human" in parts:
            self.human = head(grid_channels=grid, pooled_channels=pooled, keypoints=JOINTS)
        if "object" in parts:
            self.object = head(grid_channels=grid, pooled_channels=pooled, keypoints=KEYPOINTS)
        if "human" in parts:
            self.beta = nn.Linear(pooled, BETAS)
            self.twist = nn.Linear(pooled, TWISTS * 2)
        self.object_class = nn.Embedding(object_classes, backbone.stem_channels) if object_classes else None

    def forward(self, image: Float[Tensor, "B 5 H W"], object_id: Int[Tensor, " B"]) -> KhorOutput:
        """Predict keypoints, shape and twist of a batch of crops, as far as the parts have them.

        Args:
            image: (B, 5, H, W) normalised RGB, human mask, object mask.
            object_id: (B,) index of the object's class; read only with a class embedding.
        """
        context = None if self.object_class is None else self.object_class(object_id)
        features = self.backbone(image, context)
        human = "human" in self.parts
        return KhorOutput(
            human=self.human(features) if human else None,
            object=self.object(features) if "object" in self.parts else None,
            beta=self.beta(features.pooled).float() if human else None,
            twist=self.twist(features.pooled).float().unflatten(-1, (TWISTS, 2)) if human else None,
        )
