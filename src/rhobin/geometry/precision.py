"""Keep geometry out of mixed precision."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
T = TypeVar("T")
_HALF = (torch.float16, torch.bfloat16)


def full_precision(function: Callable[P, T]) -> Callable[P, T]:
    """Run `function` outside autocast, with half-precision arguments widened to float32.

    bfloat16 resolves 8 bits: a centimetre at 2 m, and rotations that are no rotations.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        devices = {value.device.type for value in (*args, *kwargs.values()) if isinstance(value, Tensor)}
        active = [device for device in devices if torch.is_autocast_enabled(device)]
        if not active:
            return function(*args, **kwargs)
        with torch.autocast(active[0], enabled=False):
            return function(*map(_widen, args), **{key: _widen(value) for key, value in kwargs.items()})  # type: ignore[arg-type]

    return run


def _widen(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.dtype in _HALF else value
