"""Focal losses of heatmaps in BEV's form (CornerNet's, with its own clamp)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.nets.bev import BevOutput
from rhobin.types import BevMaps

_LEAST = 1e-3


class FocalTerms(NamedTuple):
    """Focal losses of the three heatmaps, each a mean over samples."""

    front: Float[Tensor, ""]
    bird: Float[Tensor, ""]
    volume: Float[Tensor, ""]


@full_precision
def focal(
    pred: Float[Tensor, "B first *others"], target: Float[Tensor, "B first *others"], mean_depth: bool = False
) -> Float[Tensor, " B"]:
    """Focal loss of each sample's heatmap, over two or three axes.

    A cell whose target is 1 adds (1 - p)^2 log p, every other (1 - target)^4 p^2 log(1 - p), with p within
    [1e-3, 1 - 1e-3] in the logarithms alone. The loss is minus their sum, divided by the number of cells at 1
    plus 1e-4 where there are any.

    Args:
        pred: (B, h, w) or (B, D, h, w) probabilities; any finite number gives a finite loss.
        target: the same shape, in [0, 1].
        mean_depth: BEV's loss of a volume, which is the mean over depth bins, not the sum.
    """
    log_arg = pred.clamp(_LEAST, 1 - _LEAST)
    is_centre = target == 1
    positive = (1 - pred).square() * log_arg.log()
    negative = (1 - target) ** 4 * pred.square() * (1 - log_arg).log()
    count = is_centre.flatten(1).sum(1).float()
    total = -torch.where(is_centre, positive, negative).flatten(1).sum(1)
    scale = pred.shape[1] if mean_depth else 1
    return total / torch.where(count > 0, count + 1e-4, 1.0) / scale


def bev_focal(output: BevOutput, maps: BevMaps, mean_depth: bool = False) -> FocalTerms:
    """Focal losses of the branch's heatmaps against maps that are multiplied out here.

    A sample whose centre lies outside the volume has empty maps: all its cells are to be 0.

    Args:
        output: the branch's output for B samples.
        maps: their targets.
        mean_depth: BEV's mean over depth bins for the volume.
    """
    return FocalTerms(
        front=focal(output.front, maps.front).mean(),
        bird=focal(output.bird, maps.bird).mean(),
        volume=focal(output.volume, maps.volume, mean_depth).mean(),
    )
