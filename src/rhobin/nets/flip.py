"""A network's keypoints of a mirrored image, brought back to the image as it is.

Twists, uncertainties, points and body parameters are mirrored by `rhobin.body.transform`. Where the average
over an image and its mirror image is wanted, that of coordinates is enough: a soft-argmax is linear in its
probabilities (docs/decisions/0136).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import MIRROR29
from rhobin.body.transform import flip_points


def flip_uvd(uvd: Float[Tensor, "*B N 3"], cells: int) -> Float[Tensor, "*B N 3"]:
    """Heatmap coordinates of 24, 29 or 52 joints in the mirror image; twice is nothing.

    Cell i of n reads i / n - 0.5 and becomes cell n - 1 - i, so u becomes -u - 1 / n.

    Args:
        uvd: heatmap coordinates as in `rhobin.nets.heatmap`.
        cells: width of what was mirrored: of the image in pixels, or of a heatmap in cells.
    """
    return flip_points(uvd) - uvd.new_tensor([1 / cells, 0, 0])


def flip_volume(volume: Float[Tensor, "B 29 *axes w"], shift: bool = False) -> Float[Tensor, "B 29 *axes w"]:
    """Heatmaps of the 29 joints, logits or probabilities, mirrored along their last axis; twice is nothing.

    Args:
        volume: (B, 29, h, w) or (B, 29, d, h, w).
        shift: move one cell to the right and keep the first one, as HybrIK means to (its own code smears a
            row on a CPU). A cell stands for its leftmost pixel, s pixels of the image wide; mirrored, it lies
            s - 1 pixels too far left. One cell is one pixel too much, so coordinates and `flip_uvd` are
            exact where this is not.
    """
    mirrored = volume[:, list(MIRROR29)].flip(-1)
    return torch.cat((mirrored[..., :1], mirrored[..., :-1]), dim=-1) if shift else mirrored
