"""Samples to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from rhobin.types import Batch, Sample


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples along a new first axis; optional targets that no sample has stay None."""
    return Batch(
        image=torch.stack([sample.image for sample in samples]),
        K_crop=torch.stack([sample.K_crop for sample in samples]),
        gender=torch.tensor([sample.gender for sample in samples]),
        object_id=torch.tensor([sample.object_id for sample in samples]),
        target=_stack([sample.target for sample in samples]),
        keys=[sample.key for sample in samples],
    )


def _stack(values: Sequence[Any]) -> Any:
    """Tensors, and dataclasses of tensors, stacked; None where all are None."""
    first = values[0]
    if first is None or isinstance(first, Tensor):
        return None if first is None else torch.stack(list(values))
    members = {f.name: _stack([getattr(value, f.name) for value in values]) for f in fields(first)}
    return type(first)(**members)
