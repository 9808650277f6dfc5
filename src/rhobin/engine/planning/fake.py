"""A method's module whose tensors have shapes and no values: nothing is computed, nothing takes memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedOperatorException,
)
from torch.utils._python_dispatch import TorchDispatchMode

NEEDS_VALUES = (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException)
"""What an operation raises that cannot be done without values."""

aten = torch.ops.aten
RANDOM = (aten.normal_.default, aten.uniform_.default, aten.bernoulli_.float)


class Unfilled(TorchDispatchMode):
    """Skips the drawing of initial weights, of which only the shapes are needed."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The tensor as it is, for what fills it with random numbers."""
        return args[0] if func in RANDOM else func(*args, **(kwargs or {}))


class MostRows(TorchDispatchMode):
    """Answers "which entries are not zero" with all of them: the most that any values could ask for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """As many rows as there are entries."""
        if func is aten.nonzero.default:
            return args[0].new_empty((args[0].numel(), args[0].dim()), dtype=torch.long)
        return func(*args, **(kwargs or {}))


def make_fake(module: nn.Module, mode: FakeTensorMode) -> None:
    """Exchange every parameter and buffer of a module for a fake one, shared ones for a shared one."""
    made: dict[int, Any] = {}

    def fake(tensor: Tensor | None) -> Any:
        if tensor is None:
            return None
        if id(tensor) not in made:
            twin = mode.from_tensor(tensor)
            learnt = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(twin, tensor.requires_grad) if learnt else twin
        return made[id(tensor)]

    for owner in module.modules():
        for table in (owner._parameters, owner._buffers):
            for name, tensor in table.items():
                table[name] = fake(tensor)
