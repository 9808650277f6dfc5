"""Read people out of heatmaps: any number as BEV does, or the one that is there."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


class Peaks(NamedTuple):
    """Peaks of B heatmaps, by sample and then from the strongest down.

    Attributes:
        sample: (N,) long, the sample that each is in.
        cell: (N, A) long, its cell: row and column, or depth bin, row and column.
        score: (N,) the heatmap's value there.
    """

    sample: Int[Tensor, " N"]
    cell: Int[Tensor, "N A"]
    score: Float[Tensor, " N"]


class Centre(NamedTuple):
    """The person's centre in each sample.

    Attributes:
        cell: (B, 3) long, depth bin, row and column of the strongest cell.
        position: (B, 3) the centre in cells: that cell plus its offset.
        score: (B,) the heatmap's value there.
    """

    cell: Int[Tensor, "B 3"]
    position: Float[Tensor, "B 3"]
    score: Float[Tensor, " B"]


def find_peaks(
    maps: Float[Tensor, "B first *others"],
    count: int = 64,
    threshold: float = 0.1,
    window: int = 5,
    force: bool = False,
) -> Peaks:
    """Cells that are the largest in a window about them.

    BEV takes the `count` strongest of each depth bin and then of all, which are the strongest of all.

    Args:
        maps: (B, h, w) or (B, D, h, w) heatmaps.
        count: most peaks of a sample.
        threshold: what a peak's score exceeds.
        window: cells along each axis, odd.
        force: take the strongest cell of a sample without peaks above the threshold.
    """
    cells = suppress(maps, window).flatten(1)
    scores, places = cells.topk(min(count, cells.shape[1]))
    kept = scores > threshold
    if force:
        kept[:, 0] = True
    cell = torch.stack(torch.unravel_index(places[kept], maps.shape[1:]), dim=-1)
    return Peaks(kept.nonzero()[:, 0], cell, scores[kept])


def suppress(maps: Float[Tensor, "B first *others"], window: int = 5) -> Float[Tensor, "B first *others"]:
    """The maps with -inf in cells that are not the largest in a window about them.

    Args:
        maps: (B, h, w) or (B, D, h, w).
        window: cells along each axis, odd.
    """
    pool = F.max_pool2d if maps.dim() == 3 else F.max_pool3d
    largest = pool(maps[:, None], window, stride=1, padding=window // 2)[:, 0]
    return maps.masked_fill(maps < largest, -torch.inf)


def find_centre(volume: Float[Tensor, "B D h w"], offset: Float[Tensor, "B 3 D h w"]) -> Centre:
    """The strongest cell of each sample, and the offset there, with its gradient.

    Args:
        volume: (B, D, h, w) heatmap.
        offset: (B, 3, D, h, w) from each cell to the centre, in cells.
    """
    score, place = volume.flatten(1).max(1)
    cell = torch.stack(torch.unravel_index(place, volume.shape[1:]), dim=-1)
    return Centre(cell, cell + read_cell(offset, cell), score)


def read_cell(maps: Float[Tensor, "B C D h w"], cell: Int[Tensor, "B 3"]) -> Float[Tensor, "B C"]:
    """Values (B, C) of maps (B, C, D, h, w) at one cell (B, 3) of each sample."""
    sample = torch.arange(maps.shape[0], device=maps.device)
    return maps[sample, :, cell[:, 0], cell[:, 1], cell[:, 2]]
