"""The training set's mean object as crops show it: allocentric rotation and scale-invariant translation.

What is constant in a camera's frame is no fair guess of an object that is wherever the crop is: the crop is
given to every method, so the constant is one of the crop (GDR-Net's parametrisation, `geometry.allocentric`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rhobin.data.dataset import BehaveDataset
from rhobin.engine.turn_back import turn_pose_back
from rhobin.geometry.allocentric import crop_frame, decode_site, encode_site, to_allocentric, to_egocentric
from rhobin.geometry.rotation import project_to_so3
from rhobin.types import ObjectPrediction, Prediction

VIEWS = 1000
"""Training views that the mean is taken over, evenly spread: each is decoded for its crop."""


@dataclass(frozen=True)
class SeenObjects:
    """Objects as their crops show them.

    Attributes:
        object_id: (N,) which object.
        R: (N, 3, 3) allocentric rotations.
        site: (N, 3) scale-invariant translations.
    """

    object_id: Tensor
    R: Tensor
    site: Tensor

    def mean(self, object_id: int | None = None) -> tuple[Tensor, Tensor]:
        """Chordal mean (3, 3) of the rotations and mean (3,) of the translations of one object, or of all.

        An object that is not among them gets the mean of all.
        """
        chosen = torch.ones_like(self.object_id, dtype=torch.bool)
        if object_id is not None and bool((self.object_id == object_id).any()):
            chosen = self.object_id == object_id
        return project_to_so3(self.R[chosen].mean(0)), self.site[chosen].mean(0)


def seen_objects(train: BehaveDataset, views: int = VIEWS) -> SeenObjects:
    """Objects of training views without augmentation.

    Args:
        train: training views.
        views: how many to look at, at most.

    Raises:
        ValueError: none of them shows an object.
    """
    plain = train.plain()
    chosen = np.unique(np.linspace(0, len(plain) - 1, min(views, len(plain))).round().astype(int))
    ids, rotations, sites = [], [], []
    for index in chosen.tolist():
        sample = plain[index]
        obj = sample.target.object
        if obj is None:
            continue
        R, t, K = obj.R.double(), obj.t.double(), sample.K_crop.double()
        ids.append(sample.object_id)
        rotations.append(to_allocentric(R, t))
        sites.append(encode_site(t, K, crop_frame(K, sample.image.shape[-1])))
    if not ids:
        raise ValueError(
            f"{train.release.root}: no training view shows an object: there is no mean to predict."
        )
    return SeenObjects(torch.tensor(ids), torch.stack(rotations), torch.stack(sites))


def predict_objects(
    seen: SeenObjects,
    object_id: Iterable[int],
    K_crop: Tensor,
    turn: Tensor,
    size: int,
    per_object: bool = False,
) -> Prediction:
    """The mean object in every crop.

    Args:
        seen: objects of training views.
        object_id: object of each test view.
        K_crop: (N, 3, 3) intrinsics of the test views' crops, pixels.
        turn: (N, 3, 3) rotation from the cameras that took the views to those of the crops.
        size: width of the crops, pixels.
        per_object: one mean for each object; else one for all.

    Returns:
        Objects, metres, frame of the camera that took the view.
    """
    means = [seen.mean(index if per_object else None) for index in object_id]
    K = K_crop.double()
    t = decode_site(torch.stack([site for _, site in means]), K, crop_frame(K, size))
    R = to_egocentric(torch.stack([rotation for rotation, _ in means]), t)
    return Prediction(object=ObjectPrediction(*turn_pose_back(R, t, turn)))
