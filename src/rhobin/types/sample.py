"""Views as samples, and samples as batches."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from rhobin.types.drawn import BevMaps, Heatmaps, ObjectMaps
from rhobin.types.target import Target
from rhobin.types.tensors import map_tensors, to_device


@dataclass(frozen=True)
class SampleKey:
    """Which view a sample shows: sequence name, frame folder name, kinect index, dataset index."""

    sequence: str
    frame: str
    camera: int
    index: int


@dataclass
class Crop:
    """A further crop of the view that a sample shows, of the same camera: turned as the sample's is.

    Attributes:
        image: (P, H, W) uint8 planes, those of the sample.
        K: (3, 3) intrinsics.
        heatmaps: as in `Target`, drawn in this crop.
        maps: the same.
        bev: the same.
    """

    image: Tensor
    K: Tensor
    heatmaps: Heatmaps | None = None
    maps: ObjectMaps | None = None
    bev: BevMaps | None = None


@dataclass
class Sample:
    """One view of one frame; a `Batch` without its batch axis.

    Attributes:
        image: (P, H, W) uint8: red, green, blue, then one plane for each mask the method reads, 255 where the
            part is visible.
        K_crop: (3, 3) intrinsics of the crop.
        window: (3,) width and height of the box that the crop was cut about, before any augmentation, and
            side of the crop: in widths of the whole frame, as the camera sees them that is turned to the crop
            where `data.view.ray` turns it.
        turn: (3, 3) rotation from the camera that took the view to the camera of the crops: X_crop = turn
            X_view. The identity unless augmentation rolls it, or `data.view.ray` turns it; a sample
            that augmentation mirrors is so after that.
        gender: index into `GENDERS`; neutral where nobody is shown.
        object_id: the object's place among the sorted names; -1 where no object is shown.
        target: ground truth without the batch axis.
        key: where the view comes from.
        further: more crops of the same view, by the name that the method gave them.
    """

    image: Tensor
    K_crop: Tensor
    window: Tensor
    turn: Tensor
    gender: int
    object_id: int
    target: Target
    key: SampleKey
    further: dict[str, Crop] = field(default_factory=dict)


@dataclass
class Batch:
    """Samples stacked: image (B, P, H, W) uint8, K_crop, turn (B, 3, 3), window (B, 3), others (B,) long."""

    image: Tensor
    K_crop: Tensor
    window: Tensor
    turn: Tensor
    gender: Tensor
    object_id: Tensor
    target: Target
    keys: list[SampleKey]
    further: dict[str, Crop] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.image.shape[0]

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with every tensor on `device`."""
        return to_device(self, device)

    def pin_memory(self) -> Batch:
        """The same batch in memory from which a GPU copies while it computes."""
        return map_tensors(self, torch.Tensor.pin_memory)
