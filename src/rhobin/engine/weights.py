"""Weights of another run as the start of a new one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from rhobin.engine.exported import trained_tensors
from rhobin.engine.saved import CheckpointError

SHOWN = 5


@dataclass(frozen=True)
class Loaded:
    """What was taken from a checkpoint.

    Attributes:
        taken: number of tensors.
        missing: names of the module's tensors that the checkpoint lacks; they keep their first values.
        unexpected: names of the checkpoint's tensors that the module lacks; they are left out.
    """

    taken: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def lines(self, checkpoint: Path) -> list[str]:
        """The same for a person."""
        parts = [f"{self.taken} tensors from {checkpoint}"]
        for told, names in (("not there", self.missing), ("left out", self.unexpected)):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                parts.append(f"{told}: {', '.join(names[:SHOWN])}{more}")
        return parts


def init_weights(module: nn.Module, checkpoint: Path) -> Loaded:
    """Start from a checkpoint's weights, with a fresh optimiser, schedule and clock.

    Args:
        module: its tensors are overwritten where the checkpoint has one of the same name.
        checkpoint: file that training wrote, or an export's `model.safetensors`; of averaged weights, the
            average.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, a tensor has another shape, or it has none of the module's tensors.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"init_from={checkpoint}: no such checkpoint; give the path of a .ckpt file, of an export's "
            "model.safetensors, or null"
        )
    try:
        saved, own = trained_tensors(checkpoint), module.state_dict()
    except CheckpointError as error:
        raise ValueError(f"init_from={error}; choose another checkpoint, or null") from error
    common = {name: value for name, value in saved.items() if name in own}
    _refuse_misfits(checkpoint, common, own)
    module.load_state_dict(common, strict=False)
    return Loaded(
        len(common), tuple(sorted(own.keys() - saved.keys())), tuple(sorted(saved.keys() - own.keys()))
    )


def _refuse_misfits(checkpoint: Path, common: dict[str, Tensor], own: dict[str, Any]) -> None:
    if not common:
        raise ValueError(f"init_from={checkpoint} has none of the tensors of this network: another method's?")
    misfits = [
        f"{name} {tuple(value.shape)}, here {tuple(own[name].shape)}"
        for name, value in common.items()
        if value.shape != own[name].shape
    ]
    if misfits:
        raise ValueError(
            f"init_from={checkpoint}: {len(misfits)} tensors have another shape: "
            f"{'; '.join(misfits[:SHOWN])}. Train the same network, or choose another checkpoint"
        )
