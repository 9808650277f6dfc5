"""The contract between floors: what a camera, a sample, a batch and a prediction hold.

Units and frames, once for the whole project: metres, radians, rotation matrices; the OpenCV camera
(x right, y down, z forward); pixel coordinates whose origin is the centre of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

GENDERS = ("male", "female", "neutral")


@dataclass(frozen=True)
class Camera:
    """A camera placed in a world: a pinhole, behind a lens where its distortion is known.

    Attributes:
        K: (3, 3) intrinsics in pixels.
        R: (3, 3) rotation of the camera-to-world transform, ``X_world = R X_cam + t``.
        t: (3,) translation of the same transform, metres.
        width: image width in pixels.
        height: image height in pixels.
        distortion: (8,) lens coefficients k1, k2, p1, p2, k3, k4, k5, k6 (`rhobin.geometry.distortion`), or
            None for a true pinhole.
    """

    K: np.ndarray
    R: np.ndarray
    t: np.ndarray
    width: int
    height: int
    distortion: np.ndarray | None = None


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
class Target:
    """Ground truth of a batch, in the camera frame of each sample (after augmentation).

    Attributes:
        theta: (B, 52, 3, 3) local SMPL-H rotations; joint 0 is the orientation in the camera.
        beta: (B, 10) shape coefficients.
        trans: (B, 3) SMPL translation, metres.
        joints: (B, 29, 3) HybrIK joints, metres.
        joints_uvd: (B, 29, 3) the same in heatmap coordinates: u, v in crop widths from the crop's
            centre, d in depth ranges from the pelvis; each in [-0.5, 0.5) where visible to a heatmap.
        joints_weight: (B, 29) 1 where the heatmap can represent the joint, else 0.
        twist: (B, 23, 2) cosine and sine of the twist of joints 1..23.
        twist_weight: (B, 23) 1 where the twist is defined, else 0.
        obj_R: (B, 3, 3) object rotation, template to camera.
        obj_t: (B, 3) object translation, metres.
        kpts: (B, 8, 3) object keypoints, metres.
        kpts_uvd: (B, 8, 3) the same in heatmap coordinates (d from the human pelvis).
        kpts_weight: (B, 8) 1 where the heatmap can represent the keypoint, else 0.
        maps: the object's surface, where `data.targets` asks for it.
        bev: the person's centre, where `data.targets` asks for it.
    """

    theta: Tensor
    beta: Tensor
    trans: Tensor
    joints: Tensor
    joints_uvd: Tensor
    joints_weight: Tensor
    twist: Tensor
    twist_weight: Tensor
    obj_R: Tensor
    obj_t: Tensor
    kpts: Tensor
    kpts_uvd: Tensor
    kpts_weight: Tensor
    maps: ObjectMaps | None = None
    bev: BevMaps | None = None


@dataclass(frozen=True)
class SampleKey:
    """Which view a sample shows: sequence name, frame folder name, kinect index, dataset index."""

    sequence: str
    frame: str
    camera: int
    index: int


@dataclass
class Sample:
    """One view of one frame; a `Batch` without its batch axis.

    Attributes:
        image: (5, H, W) uint8: red, green, blue, and 255 where person, then object, is visible.
        K_crop: (3, 3) intrinsics of the crop.
        gender: index into `GENDERS`.
        object_id: index into the sorted object names.
        target: ground truth without the batch axis.
        key: where the view comes from.
    """

    image: Tensor
    K_crop: Tensor
    gender: int
    object_id: int
    target: Target
    key: SampleKey


@dataclass
class Batch:
    """Samples stacked: image (B, 5, H, W) uint8, K_crop (B, 3, 3), gender and object_id (B,) long."""

    image: Tensor
    K_crop: Tensor
    gender: Tensor
    object_id: Tensor
    target: Target
    keys: list[SampleKey]

    def __len__(self) -> int:
        return self.image.shape[0]

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with every tensor on `device`."""
        return to_device(self, device)


@dataclass
class Prediction:
    """What every method, baseline and result file becomes: metres, camera frame, all parts batched.

    Attributes:
        theta: (B, 52, 3, 3) local SMPL-H rotations.
        beta: (B, 10) shape coefficients.
        trans: (B, 3) SMPL translation.
        joints: (B, 29, 3) HybrIK joints as predicted, before inverse kinematics.
        obj_R: (B, 3, 3) object rotation.
        obj_t: (B, 3) object translation.
        obj_scale: (B,) object scale; 1 for metric templates.
        kpts: (B, 8, 3) object keypoints as predicted, before the rigid fit.
    """

    theta: Tensor | None = None
    beta: Tensor | None = None
    trans: Tensor | None = None
    joints: Tensor | None = None
    obj_R: Tensor | None = None
    obj_t: Tensor | None = None
    obj_scale: Tensor | None = None
    kpts: Tensor | None = None


T = TypeVar("T")


def to_device(value: T, device: torch.device | str) -> T:
    """Move every tensor of a (nested) dataclass to `device`; other fields pass unchanged."""
    return cast(T, _moved(value, device))


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{f.name: _moved(getattr(value, f.name), device) for f in fields(value)})
    return value
