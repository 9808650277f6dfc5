"""BEV-HybrIK's network: where the person is, and the body at that place (report sec. 3.2, Fig. 5)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rhobin.nets.bev import BevBranch, BevOutput
from rhobin.nets.features import GRID_STRIDE, Features
from rhobin.nets.heatmap import Keypoints
from rhobin.nets.peaks import find_centre
from rhobin.nets.place import PlaceEmbedding

JOINTS, BETAS, TWISTS = 29, 10, 23
VECTORS = ("pooled", "centre")


class BevHybrikOutput(NamedTuple):
    """Raw predictions of a batch.

    Attributes:
        human: 29 joints in heatmap coordinates, d from the pelvis.
        beta: (B, 10) shape coefficients.
        twist: (B, 23, 2) cosine and sine, not normalised.
        bev: centre maps.
        place: (B, 3) depth bin, row and column of the centre by these maps, fractional cells.
    """

    human: Keypoints
    beta: Float[Tensor, "B 10"]
    twist: Float[Tensor, "B 23 2"]
    bev: BevOutput
    place: Float[Tensor, "B 3"]


class BevHybrikNet(nn.Module):
    """A branch that finds the person's centre in a volume, and HybrIK's heads, which are told that place.

    Args:
        backbone: maps (B, P, H, W) to Features; tells `grid_channels` and `pooled_channels`.
        bev: makes the branch from (grid_channels, rows).
        head: makes a keypoint head from (grid_channels, pooled_channels, keypoints).
        input_size: width of the crops, pixels.
        stride: pixels of the crop that a cell of the centre maps is wide; a multiple of the feature map's,
            which is averaged down to it.
        vector: what shape, twists and uncertainties are read from: "pooled", the image's vector, or "centre",
            the features at the person's centre.
        hidden: width of the layer between the place and its features.

    Raises:
        ValueError: an unknown vector, or a stride that the feature map cannot be averaged to.
    """

    def __init__(
        self,
        backbone: Any,
        bev: Callable[..., BevBranch],
        head: Callable[..., nn.Module],
        input_size: int,
        stride: int,
        vector: str = "pooled",
        hidden: int = 64,
    ) -> None:
        super().__init__()
        if vector not in VECTORS:
            raise ValueError(f"model.net.vector is {vector!r}; expected one of {', '.join(VECTORS)}")
        if stride % GRID_STRIDE or input_size % stride:
            raise ValueError(
                f"data.targets.bev.stride is {stride}; expected a multiple of {GRID_STRIDE} that divides "
                f"data.view.input_size={input_size}"
            )
        self.backbone, self.vector, self.shrink = backbone, vector, stride // GRID_STRIDE
        grid = backbone.grid_channels
        pooled = backbone.pooled_channels if vector == "pooled" else grid
        self.bev = bev(grid_channels=grid, rows=input_size // stride)
        self.embedding = PlaceEmbedding(2 * grid + pooled, hidden=hidden)
        self.widths = (grid, grid, pooled)
        self.head = head(grid_channels=grid, pooled_channels=pooled, keypoints=JOINTS)
        self.beta = nn.Linear(pooled, BETAS)
        self.twist = nn.Linear(pooled, TWISTS * 2)

    def forward(
        self,
        image: Float[Tensor, "B P H W"],
        told: Float[Tensor, "B 3"] | None = None,
        teach: Bool[Tensor, " B"] | None = None,
    ) -> BevHybrikOutput:
        """Predict the person's centre and body.

        Args:
            image: (B, P, H, W) normalised colour, and mask planes where they are read.
            told: (B, 3) true centre as depth bin, row and column, fractional cells.
            teach: (B,) where the body's heads are told the true centre; elsewhere, and by default, they are
                told the predicted one.
        """
        features = self.backbone(image)
        bev = self.bev(nn.functional.avg_pool2d(features.grid, self.shrink))
        place = find_centre(bev.volume, bev.offset).position
        used = place.detach()
        if told is not None and teach is not None:
            used = torch.where(teach[:, None], told, used)
        features = self._at(features, used, bev.volume.shape[1:])
        return BevHybrikOutput(
            human=self.head(features),
            beta=self.beta(features.pooled).float(),
            twist=self.twist(features.pooled).float().unflatten(-1, (TWISTS, 2)),
            bev=bev,
            place=place,
        )

    def _at(self, features: Features, place: Tensor, size: torch.Size) -> Features:
        """Features that know the place: scaled and shifted maps, and a vector with the place added."""
        share = (place + 0.5) / place.new_tensor(size)
        scale, shift, vector = self.embedding(share).split(self.widths, dim=1)
        grid = features.grid * (1 + scale[..., None, None]) + shift[..., None, None]
        pooled = features.pooled if self.vector == "pooled" else sampled(features.grid, share)
        return Features(grid, pooled + vector)


def sampled(grid: Float[Tensor, "B C h w"], share: Float[Tensor, "B 3"]) -> Float[Tensor, "B C"]:
    """A map's features at places (depth, row, column) in shares of the volume, interpolated."""
    at = 2 * share[:, None, None, [2, 1]] - 1
    read = nn.functional.grid_sample(grid, at.to(grid.dtype), padding_mode="border", align_corners=False)
    return read[:, :, 0, 0]
