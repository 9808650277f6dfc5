"""Samples to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from rhobin.types import Batch, Sample

NOTHING = ("present", "visible", "amodal")
"""Members that say where a part is; beside them all weights."""


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples along a new first axis.

    A part or an extra that no sample has stays None. Where only some have it, the rows of the others hold the
    values of a sample that does, and count for nothing: `present`, weights and masks are 0.
    """
    return Batch(
        image=torch.stack([sample.image for sample in samples]),
        K_crop=torch.stack([sample.K_crop for sample in samples]),
        window=torch.stack([sample.window for sample in samples]),
        turn=torch.stack([sample.turn for sample in samples]),
        gender=_filled([s.gender for s in samples], [s.target.human for s in samples]),
        object_id=_filled([s.object_id for s in samples], [s.target.object for s in samples]),
        target=_stack([sample.target for sample in samples]),
        keys=[sample.key for sample in samples],
        further=_stack([sample.further for sample in samples]),
    )


def _filled(numbers: Sequence[int], parts: Sequence[Any]) -> Tensor:
    """Numbers that belong to a part; of samples without it, the first other sample's."""
    known = [number for number, part in zip(numbers, parts, strict=True) if part is not None]
    pairs = zip(numbers, parts, strict=True)
    return torch.tensor([known[0] if part is None and known else number for number, part in pairs])


def _stack(values: Sequence[Any], name: str = "") -> Any:
    """Tensors, and dataclasses or dicts of tensors, stacked; None where all are None."""
    first = next((value for value in values if value is not None), None)
    if first is None:
        return None
    if isinstance(first, Tensor):
        fill = torch.zeros_like(first) if name in NOTHING or name.endswith("weight") else first
        return torch.stack([fill if value is None else value for value in values])
    if isinstance(first, dict):
        return {key: _stack([value[key] for value in values]) for key in first}
    return type(first)(
        **{
            f.name: _stack([None if value is None else getattr(value, f.name) for value in values], f.name)
            for f in fields(first)
        }
    )
