"""The memory of one training step by kind, counted tensor by tensor, whether they are real or fake.

torch's `MemTracker` counts; it is private and may change, so only this module knows it, and `why_unknown`
tries it on a step whose memory is known before anybody trusts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

TOTAL, GRADIENT = "Total", "Gradient"


@dataclass(frozen=True)
class Memory:
    """Bytes of tensors at the moment of a step when there are most.

    Attributes:
        parameters: of the module, buffers included.
        gradients: of parameters.
        optimizer: states of the optimisers.
        activations: all others: what the backward pass needs, gradients of it, the batch, what is used for a
            moment.
    """

    parameters: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """Bytes together."""
        return self.parameters + self.gradients + self.optimizer + self.activations


class _NoModules:
    """In the place of torch's tracker of modules, which cannot follow a gradient taken in a forward pass."""

    parents = frozenset[str]()

    @property
    def is_bw(self) -> bool:
        return torch._C._current_graph_task_id() != -1

    def register_user_hooks(self, *hooks: Any) -> None: ...

    def clear_user_hooks(self) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *error: Any) -> None: ...


@contextmanager
def tracked(
    module: nn.Module, optimizers: Sequence[Optimizer], inputs: Sequence[Tensor] = ()
) -> Iterator[list[Memory]]:
    """Count the tensors of what runs inside; the optimisers have made a step before, so their states exist.

    Args:
        module: that is trained.
        optimizers: that move it.
        inputs: tensors that exist already and belong to the step.

    Yields:
        A list that holds the peak once the block has ended.
    """
    from torch.distributed._tools.mem_tracker import MemTracker

    found: list[Memory] = []
    tracker: Any = MemTracker()
    tracker._mod_tracker = _NoModules()
    tracker.track_external(*optimizers, *inputs)
    with tracker:
        tracker._track_module_params_and_buffers(module)
        yield found
    snapshot: Any = tracker.get_tracker_snapshot("peak")
    kinds = [{getattr(kind, "value", kind): size for kind, size in one.items()} for one in snapshot.values()]
    parameters, states = nbytes(module_tensors(module)), nbytes(optimizer_states(optimizers))
    total, gradients = (sum(one[name] for one in kinds) for name in (TOTAL, GRADIENT))
    found.append(Memory(parameters, gradients, states, total - parameters - gradients - states))


def nbytes(tensors: Sequence[Tensor]) -> int:
    """Bytes of tensors that share nothing."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def module_tensors(module: nn.Module) -> list[Tensor]:
    """Parameters and buffers."""
    return [*module.parameters(), *module.buffers()]


def optimizer_states(optimizers: Sequence[Optimizer]) -> list[Tensor]:
    """Tensors that optimisers keep between steps."""
    states = [state for optimizer in optimizers for state in optimizer.state.values()]
    return [value for state in states for value in state.values() if isinstance(value, Tensor)]


@cache
def why_unknown() -> str:
    """Why memory cannot be counted with this torch; empty where it can.

    A step of a layer is counted whose memory one can work out: 64 x 32 weights, their gradients, two copies
    in Adam with a step number, a batch of 16 and its output.
    """
    layer = nn.Linear(32, 64, bias=False)
    optimizer = torch.optim.Adam(layer.parameters(), foreach=False)
    images = torch.zeros(16, 32)

    def step() -> None:
        optimizer.zero_grad()
        layer(images).square().sum().backward()
        optimizer.step()

    step()
    weights, expected = 4 * 64 * 32, 2 * 4 * 64 * 32 + 4
    try:
        with tracked(layer, [optimizer], [images]) as found:
            step()
        (peak,) = found
    except (ImportError, AttributeError, TypeError, KeyError, AssertionError, NotImplementedError) as error:
        return f"not known with torch {torch.__version__}: MemTracker changed ({error})"
    least, most = 4 * 16 * 32, 4 * 16 * (32 + 3 * 64) + 4 * weights
    if (peak.parameters, peak.gradients, peak.optimizer) != (weights, weights, expected) or not (
        least <= peak.activations <= most
    ):
        return f"not known with torch {torch.__version__}: MemTracker counts a known step as {peak}"
    return ""
