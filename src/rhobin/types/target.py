"""Ground truth of a batch, in parts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rhobin.types.drawn import BevMaps, Fields, Heatmaps, ObjectMaps


@dataclass
class HumanTarget:
    """The person of each sample, in the frame of its crops' camera (after `Sample.turn`).

    Attributes:
        theta: (B, 52, 3, 3) local SMPL-H rotations; joint 0 is the orientation in the camera.
        beta: (B, 10) shape coefficients.
        trans: (B, 3) SMPL translation, metres.
        joints: (B, 29, 3) HybrIK joints, metres.
        twist: (B, 23, 2) cosine and sine of the twist of joints 1..23.
        twist_weight: (B, 23) 1 where the twist is defined, else 0.
        present: (B,) 1 where the sample shows a person; else 0, and the values are another sample's.
    """

    theta: Tensor
    beta: Tensor
    trans: Tensor
    joints: Tensor
    twist: Tensor
    twist_weight: Tensor
    present: Tensor


@dataclass
class ObjectTarget:
    """The object of each sample, in the frame of its crops' camera (after `Sample.turn`).

    Attributes:
        R: (B, 3, 3) rotation, template to camera.
        t: (B, 3) translation, metres.
        kpts: (B, 8, 3) keypoints, metres.
        present: (B,) 1 where the sample shows an object; else 0, and the values are another sample's.
    """

    R: Tensor
    t: Tensor
    kpts: Tensor
    present: Tensor


@dataclass
class Target:
    """Ground truth of a batch: the parts that it shows, and what a method asked to have drawn.

    Attributes:
        human: the people; None where no sample shows one.
        object: the objects; None where no sample shows one.
        heatmaps: keypoints in heatmap coordinates, where the method reads them.
        maps: the object's surface, where the method reads it.
        bev: the person's centre, where the method reads it.
        fields: distances of points to both surfaces, where the method reads them.
    """

    human: HumanTarget | None = None
    object: ObjectTarget | None = None
    heatmaps: Heatmaps | None = None
    maps: ObjectMaps | None = None
    bev: BevMaps | None = None
    fields: Fields | None = None
