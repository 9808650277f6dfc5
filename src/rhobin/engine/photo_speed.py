"""A network that computes in half precision, compiled, or both; what is made of its output stays float32."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.speed import require_compiler

PRECISIONS = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}


class Autocast(nn.Module):
    """A network under autocast, whose output is told in float32.

    Args:
        net: the network.
        device: type of its device.
        dtype: to compute in.
    """

    def __init__(self, net: nn.Module, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device, self.dtype = net, device, dtype

    def forward(self, *inputs: Any) -> Any:
        """The network's output for its own inputs."""
        with torch.autocast(self.device, self.dtype):
            return widened(self.net(*inputs))


def sped_up(network: PhotoNetwork, precision: str = "32", compiled: bool = False) -> PhotoNetwork:
    """The same network, computing as asked.

    Args:
        network: an open run; its module is changed.
        precision: a key of `PRECISIONS`.
        compiled: whether `torch.compile` compiles the network, which happens at its first batch.

    Raises:
        ValueError: the network is to be compiled, and nothing here can compile it.
    """
    net, dtype = network.module.net, PRECISIONS[precision]
    if dtype != torch.float32:
        net = Autocast(net, network.device.type, dtype)
    if compiled:
        require_compiler(network.device, "--compile", "Leave --compile out, or predict on a CUDA device")
        net = torch.compile(net)  # type: ignore[assignment]
    network.module.net = net
    told = {"precision": precision, "compiled": compiled, "device": network.device.type}
    return replace(network, origin=network.origin | told)


def widened(value: Any) -> Any:
    """An output of a network, with its halves as float32: tensors, and tuples of them at any depth."""
    if isinstance(value, Tensor):
        return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    if isinstance(value, tuple):
        parts = [widened(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, dict):
        return {name: widened(part) for name, part in value.items()}
    return value
