"""The square about an object's mask in which its silhouette is compared, and what its pixels are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional

from rhobin.geometry.camera import crop_intrinsics
from rhobin.geometry.silhouette import dilated

SEEN = 127  # of 255: masks of the releases are JPEG files


@dataclass(frozen=True)
class Region:
    """A square region of a crop.

    Attributes:
        K: (3, 3) intrinsics of the region.
        size: its width in pixels.
        mask: (S, S) 1 where the object is seen.
        keep: (S, S) 0 where the person is seen and may hide the object, else 1.
        far: (S, S) distance to the mask's edge, in widths of the region.
    """

    K: Tensor
    size: int
    mask: Tensor
    keep: Tensor
    far: Tensor


def seen(plane: Tensor) -> Tensor:
    """Which pixels of a mask plane (H, W) uint8 show the part."""
    return plane > SEEN


def box_of(mask: Tensor) -> Tensor | None:
    """Left, top, right and bottom (4,) of a mask's pixels; None where it is empty."""
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    if not len(rows):
        return None
    ends = (columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5)
    return torch.stack([end.float() for end in ends])


def region_about(
    box: Tensor, person: Tensor, obj: Tensor, K: Tensor, padding: float, size: int, kernel: int
) -> Region:
    """The square about a box, larger by a share of its longer side.

    Args:
        box: (4,) left, top, right, bottom, pixels of the crop.
        person: (H, W) where the person is seen.
        obj: (H, W) where the object is seen.
        K: (3, 3) intrinsics of the crop.
        padding: share of the longer side that is added to it.
        size: width of the region in pixels.
        kernel: width of the square that edges are found with.
    """
    side = float((box[2:] - box[:2]).max()) * (1 + padding)
    centre = ((box[:2] + box[2:]) / 2).double().numpy()
    own = torch.from_numpy(crop_intrinsics(K.double().numpy(), centre, side, size))
    steps = (torch.arange(size) + 0.5) / size - 0.5
    corner = torch.from_numpy(centre).float()
    columns, rows = (corner[axis] + steps * side for axis in (0, 1))
    mask, hidden = (_sampled(plane, columns, rows) for plane in (obj, person & ~obj))
    edge = dilated(mask[None], kernel)[0][0] - mask
    far = (
        distance_transform_edt((edge == 0).numpy())
        if bool(edge.any())
        else torch.ones(size, size).numpy() * size
    )
    return Region(own, size, mask, 1 - hidden, torch.from_numpy(far).float() / size)


def _sampled(plane: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """A mask at the nearest pixels of rows and columns; 0 beyond its image."""
    height, width = plane.shape
    x, y = (2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    return functional.grid_sample(plane[None, None].float(), grid[None], "nearest", align_corners=False)[0, 0]
