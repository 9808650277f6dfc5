"""How a network is computed: compiled, and in which memory format; its results are the same to rounding."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import torch
from omegaconf import DictConfig

from rhobin.methods.base import Method

LEAST = (7, 0)  # compute capability that triton writes code for


def prepare_network(module: Method, config: DictConfig, device: torch.device) -> None:
    """Lay the network out and have it compiled, as `channels_last` and `compile` of the config say.

    Raises:
        ValueError: it is to be compiled, and nothing here can compile it.
    """
    if not config.channels_last:
        module.memory_format = torch.contiguous_format
        module.net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    if config.compile:
        require_compiler(device, "compile=true", "Set compile=false, or train on a CUDA device")
        module.net.compile()  # in place: names in checkpoints stay


def require_compiler(device: torch.device, asked: str, advice: str) -> None:
    """Refuse `torch.compile` where its code would not run.

    Args:
        device: to compute on.
        asked: what asked for it.
        advice: what to do instead.

    Raises:
        ValueError: naming what is missing.
    """
    missing = missing_for_compiling(device)
    if missing:
        raise ValueError(f"{asked}: {missing}. {advice}")


def missing_for_compiling(device: torch.device) -> str:
    """What `torch.compile` lacks for a device; empty where it has all.

    PyTorch 2.12 aborts on KHOR's network on a CPU: the code that it writes frees twice.
    """
    if device.type != "cuda":
        return f"expected a CUDA device, found {device.type}, for which PyTorch writes code that aborts"
    found = torch.cuda.get_device_capability(device)
    if found < LEAST:
        return f"expected a GPU of compute capability 7.0 (Volta) or newer, found {found[0]}.{found[1]}"
    if find_spec("triton") is None:
        return "expected the package triton, which PyTorch's compiler writes code with; it is not installed"
    if not any(map(shutil.which, filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")))):
        return "expected a C compiler (gcc, clang, or one that CC names), which triton calls; found none"
    return ""
