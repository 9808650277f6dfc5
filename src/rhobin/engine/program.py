"""A network as a program of torch.export, which runs without rhobin: what it reads to its raw outputs."""

from __future__ import annotations

import inspect
import io
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.methods.base import Method
from rhobin.types import Batch


@dataclass(frozen=True)
class Program:
    """A network as a program.

    Attributes:
        content: of the file, for `torch.export.load`.
        inputs: the program's arguments in order: name, and shape and type in words.
        outputs: the same of the tensors that it returns, by name.
    """

    content: bytes
    inputs: dict[str, str]
    outputs: dict[str, str]


class Flat(nn.Module):
    """A network whose output is one dict of tensors, so that nobody needs its classes to read it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        """The network's tensors by their names, joined by dots."""
        return tensors_of(self.net(*inputs))


def tensors_of(output: Any, name: str = "") -> dict[str, Tensor]:
    """The tensors of nested named tuples, by their names joined by dots."""
    if output is None:
        return {}
    if isinstance(output, Tensor):
        return {name: output}
    parts = output._asdict().items()
    found = [tensors_of(part, f"{name}.{key}" if name else key) for key, part in parts]
    return {key: tensor for part in found for key, tensor in part.items()}


@torch.no_grad()
def export_program(module: Method, batch: Batch) -> Program:
    """The program of a method's network, for batches of any length.

    Args:
        module: with trained weights, on the CPU; put into evaluation mode.
        batch: of two samples at least, as the network reads them.

    Raises:
        ValueError: torch.export cannot trace the network; says why.
    """
    inputs = network_inputs(module.eval(), batch)
    shapes = {"inputs": tuple({0: torch.export.Dim("batch")} for _ in inputs)}
    flat, packed = Flat(module.net).eval(), io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about where it looks weights up; a test compares the outputs
            program = torch.export.export(flat, inputs, dynamic_shapes=shapes)
            for node in program.graph.nodes:
                node.meta.pop("stack_trace", None)  # names files of this machine
            torch.export.save(program, packed)
    except Exception as error:  # whatever an operation that it does not know raises
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"torch.export cannot trace the network of {module.title} ({reason}): expected one whose "
            "operations do not depend on values or on the length of the batch. Export without --program"
        ) from error
    names = list(inspect.signature(module.net.forward).parameters)
    named = dict(zip(names, inputs, strict=False))
    return Program(packed.getvalue(), _told(named), _told(flat(*inputs)))


def network_inputs(module: Method, batch: Batch) -> tuple[Tensor, ...]:
    """The tensors that a method gives its network for a batch."""
    seen: list[tuple[Tensor, ...]] = []
    hook = module.net.register_forward_pre_hook(lambda net, inputs: seen.append(inputs))
    try:
        module.run_net(batch)
    finally:
        hook.remove()
    return seen[0]


def _told(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {
        name: f"({', '.join(['B', *map(str, tensor.shape[1:])])}) {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in tensors.items()
    }
