"""Maps of a crop: targets for the methods that read them, and what networks draw."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Heatmaps:
    """Keypoints in the coordinates of a crop's heatmaps: what keypoint networks regress.

    u and v are in crop widths from the crop's centre, d is in depth ranges from the pelvis (from the object's
    centre where nobody is there); each is in [-0.5, 0.5) where a heatmap can represent the point.

    Attributes:
        joints_uvd: (B, 29, 3) the person's joints; None without people.
        joints_weight: (B, 29) 1 where the heatmap can represent the joint, else 0.
        kpts_uvd: (B, 8, 3) the object's keypoints; None without objects.
        kpts_weight: (B, 8) 1 where the heatmap can represent the keypoint, else 0.
    """

    joints_uvd: Tensor | None = None
    joints_weight: Tensor | None = None
    kpts_uvd: Tensor | None = None
    kpts_weight: Tensor | None = None


@dataclass
class ObjectMaps:
    """The object's surface on the grid of a network's output, h x w pixels.

    Attributes:
        nocs: (B, 3, h, w) point of the template seen by each pixel, in its box: (x - centre) / extent + 0.5,
            in [0, 1]; 0.5 where the object is not.
        region: (B, h, w) long, 1 + the nearest of the template's region centres; 0 where the object is not.
        amodal: (B, h, w) 1 where a ray meets the object, whatever stands before it; else 0.
        visible: (B, h, w) 1 where, besides, the image shows it (its object mask); else 0.
        box: (B, 2, 3) centre and extent of the template's box, metres.
        K: (B, 3, 3) intrinsics of the grid in its own pixels.
    """

    nocs: Tensor
    region: Tensor
    amodal: Tensor
    visible: Tensor
    box: Tensor
    K: Tensor


@dataclass
class BevMaps:
    """The person's centre in front view, bird's-eye view and in a volume of D depth bins, h x w pixels.

    A Gaussian about one centre is the product of its profiles along the axes, so only these are kept; the
    maps are made where they are used.

    Attributes:
        depth: (B, D) profile of the volume along depth bins, 1 at the centre.
        row: (B, h) the same along rows.
        column: (B, w) the same along columns.
        front_row: (B, h) profile of the front view along rows, 1 at the centre.
        front_column: (B, w) the same along columns.
        cell: (B, 3) long, depth bin, row and column of the centre.
        offset: (B, 3) what is missing from that cell to the centre, in cells, each in [-0.5, 0.5].
        weight: (B,) 1 where the centre lies in the volume; else the profiles and the offset are 0.
    """

    depth: Tensor
    row: Tensor
    column: Tensor
    front_row: Tensor
    front_column: Tensor
    cell: Tensor
    offset: Tensor
    weight: Tensor

    @property
    def front(self) -> Tensor:
        """(B, h, w) heatmap with 1 at the pixel of the centre."""
        return self.front_row[..., :, None] * self.front_column[..., None, :]

    @property
    def bird(self) -> Tensor:
        """(B, D, w) heatmap seen from above, over depth bin and column."""
        return self.depth[..., :, None] * self.column[..., None, :]

    @property
    def volume(self) -> Tensor:
        """(B, D, h, w) heatmap over depth bin, row and column."""
        return self.bird[..., :, None, :] * self.row[..., None, :, None]


@dataclass
class CentreMaps:
    """The person's centre as a network shows it, on a map of h x w cells and D depth bins.

    Attributes:
        front: (B, h, w) heatmap in front view, in [0, 1].
        bird: (B, D, w) heatmap seen from above, over depth bin and column.
        place: (B, 3) depth bin, row and column that it reads the centre at, fractional cells.
        depths: (B, D) depth at the centre of each bin in this crop, metres, nearest first.
    """

    front: Tensor
    bird: Tensor
    place: Tensor
    depths: Tensor


@dataclass
class Fields:
    """Points about person and object, and what a method of distance fields should say of each.

    Attributes:
        points: (B, N, 3) metres, frame of the crop's camera.
        distance: (B, N, 2) to the surface of the person and of the object, unsigned, metres.
        part: (B, N) long, the part of the body nearest to the point, an index into
            `rhobin.body.surface_points.PARTS`.
    """

    points: Tensor
    distance: Tensor
    part: Tensor
