"""Samples to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import torch

from rhobin.types import Batch, Sample, Target


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples along a new first axis."""
    target = {
        field.name: torch.stack([getattr(sample.target, field.name) for sample in samples])
        for field in fields(Target)
    }
    return Batch(
        image=torch.stack([sample.image for sample in samples]),
        K_crop=torch.stack([sample.K_crop for sample in samples]),
        gender=torch.tensor([sample.gender for sample in samples]),
        object_id=torch.tensor([sample.object_id for sample in samples]),
        target=Target(**target),
        keys=[sample.key for sample in samples],
    )
