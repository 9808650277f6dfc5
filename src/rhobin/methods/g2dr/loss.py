"""G2DR's losses, unweighted (report sec. 3.1.1; forms of GDR-Net's `gdrn_loss`)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from rhobin import ranks
from rhobin.geometry.allocentric import encode_site
from rhobin.geometry.precision import full_precision
from rhobin.methods.g2dr.decode import decode_pose, site_frame
from rhobin.methods.g2dr.net import G2drOutput
from rhobin.methods.g2dr.shapes import Shapes
from rhobin.types import Batch, required

TINY = 1e-12  # square metres: keeps the gradient of a distance of zero finite


class G2drLoss(nn.Module):
    """Distances of masks, coordinates, regions and pose from a target that is already in the right frame.

    Args:
        shapes: of the objects.
        input_size: width of the crops, pixels.
        site: form of the translation, see `site_frame`.
        order: of the distance of turned points, see `point_matching`.
        hidden: weight of pixels of the object that something hides, beside 1 for the visible ones.
    """

    def __init__(self, shapes: Shapes, input_size: int, site: str, order: int, hidden: float) -> None:
        super().__init__()
        self.shapes, self.input_size, self.site = shapes, input_size, site
        self.order, self.hidden = order, hidden

    def forward(self, pred: G2drOutput, batch: Batch) -> dict[str, Tensor]:
        """Named scalars of a batch.

        Args:
            pred: network output.
            batch: what it was predicted from, with pose and maps in the frame of one symmetry.

        Returns:
            `nocs`, `region`, `visible`, `amodal` where it is predicted, `points`, `centre`, `depth`.
        """
        maps = required(batch.target.maps, "the object's maps")
        pose = required(batch.target.object, "the object")
        weight = maps.visible + self.hidden * (maps.amodal - maps.visible)
        frame = site_frame(batch, self.input_size, self.site)
        R, _ = decode_pose(pred, batch.K_crop, frame)
        site = encode_site(pose.t, batch.K_crop, frame)
        points, size = self.shapes.points[batch.object_id], self.shapes.size[batch.object_id]
        amodal = {} if pred.amodal is None else {"amodal": (pred.amodal - maps.amodal).abs().mean()}
        return {
            "nocs": coordinate_loss(pred.nocs, maps.nocs, weight),
            "region": region_loss(pred.region, maps.region, weight),
            "visible": (pred.visible - maps.visible).abs().mean(),
            **amodal,
            "points": point_matching(R, pose.R, points, size, self.order),
            "centre": (pred.site[:, :2] - site[:, :2]).abs().mean(),
            "depth": (pred.site[:, 2] - site[:, 2]).abs().mean(),
        }


def coordinate_loss(pred: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L1 of coordinates (B, 3, h, w), summed over axes: a mean over weighted pixels (B, h, w) of a batch."""
    return ((pred - target).abs().sum(1) * weight).sum() / ranks.counted(weight, 1.0)


def region_loss(pred: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of regions: a mean over weighted pixels of the batch.

    GDR-Net sums over masked pixels too, each of which adds the constant log(1 + R) without a gradient.

    Args:
        pred: (B, 1 + R, h, w) scores.
        target: (B, h, w) labels.
        weight: (B, h, w).
    """
    return (F.cross_entropy(pred, target, reduction="none") * weight).sum() / ranks.counted(weight, 1.0)


@full_precision
def point_matching(pred: Tensor, target: Tensor, points: Tensor, size: Tensor, order: int) -> Tensor:
    """Mean distance of surface points (B, N, 3) turned by two rotations, over the object's size (B,).

    Args:
        pred: (B, 3, 3) predicted rotation.
        target: (B, 3, 3) true rotation.
        points: metres, template frame.
        size: metres.
        order: of the distance: 1 as in GDR-Net, 2 for the Euclidean one, which has no false minima on flat
            objects (docs/decisions/0101).
    """
    gap = points @ (pred - target).mT
    distance = gap.abs().sum(-1) if order == 1 else (gap.square().sum(-1) + TINY).sqrt()
    return (distance / size[:, None]).mean()
