"""Change every tensor of a nested dataclass; ask for what may be missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

T = TypeVar("T")


def to_device(value: T, device: torch.device | str) -> T:
    """Move every tensor of a (nested) dataclass or dict to `device`; other values pass unchanged."""
    return map_tensors(value, lambda tensor: tensor.to(device, non_blocking=True))


def map_tensors(value: T, change: Callable[[Tensor], Tensor]) -> T:
    """The same dataclass or dict, at any depth, with every tensor changed; other values pass unchanged."""
    return map_values(value, Tensor, change)


def map_values(value: T, kind: type, change: Callable[[Any], Any]) -> T:
    """The same dataclass or dict, at any depth, with every value of a type changed; others pass unchanged."""
    return cast(T, _mapped(value, kind, change))


def _mapped(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, kind, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{f.name: _mapped(getattr(value, f.name), kind, change) for f in fields(value)})
    return value


def required(value: T | None, what: str) -> T:
    """The value, where it is there.

    Args:
        value: a part of a target or prediction, or None.
        what: its name, for the error.

    Raises:
        ValueError: it is None.
    """
    if value is None:
        raise ValueError(
            f"{what} is missing: the data have none, or it was not asked for; "
            "a method names what it reads in model.reads (parts, targets)"
        )
    return value
