"""CHORE's losses, unweighted: means over points, and over the stages that predict (paper sec. 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rhobin.methods.chore.net import Values
from rhobin.methods.chore.truth import FieldTruth

TERMS = ("person", "object", "part", "axes", "object_centre", "pelvis")


class ChoreLoss(nn.Module):
    """Distances, parts of the body, and what points near a surface say of the whole.

    Args:
        clamp: distance beyond which a field need not be right, metres.
        near: distance from a surface within which points learn axes and centres, metres.
    """

    def __init__(self, clamp: float, near: float) -> None:
        super().__init__()
        self.clamp, self.near = clamp, near

    def forward(self, pred: list[Values], truth: FieldTruth) -> dict[str, Tensor]:
        """Named scalars, those of `TERMS`.

        Args:
            pred: values at the points of the truth, for each stage.
            truth: in the scaled space.

        Returns:
            `person`, `object`: mean absolute errors of the distances, both clamped; `part`: mean
            cross-entropy; `axes`, `object_centre`, `pelvis`: mean squared errors, zero for points
            that are not near the surface.
        """
        stages = [self._stage(values, truth) for values in pred]
        return {name: torch.stack([stage[name] for stage in stages]).mean() for name in TERMS}

    def _stage(self, pred: Values, truth: FieldTruth) -> dict[str, Tensor]:
        distance = (pred["distance"].clamp(max=self.clamp) - truth.distance.clamp(max=self.clamp)).abs()
        near = (truth.distance < self.near).float()
        by_person, by_object = near[:, 0, None], near[:, 1, None]
        pelvis, centre = (pred["centre"] - truth.centre[..., None]).square().unbind(1)
        return {
            "person": distance[:, 0].mean(),
            "object": distance[:, 1].mean(),
            "part": F.cross_entropy(pred["part"], truth.part),
            "axes": ((pred["axes"] - truth.axes[..., None]).square() * by_object[:, None]).mean(),
            "object_centre": (centre * by_object).mean(),
            "pelvis": (pelvis * by_person).mean(),
        }
