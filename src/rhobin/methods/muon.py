"""Muon for the weights of convolutions, Adam for all others."""

from collections.abc import Iterable
from typing import Any

import torch
from pytorch_optimizer import Muon
from pytorch_optimizer.optimizer.utils.matrix import zero_power_via_newton_schulz_5
from torch import Tensor, nn

FEWEST = 8  # rows and columns; what is thinner has hardly a direction to choose


def muon(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0) -> Muon:
    """Muon (Jordan et al., 2024), by the library `pytorch_optimizer`.

    A convolution's weights are a matrix of outputs by inputs; each step takes the momentum's nearest matrix
    with orthogonal rows, as large as a step of Adam usually is (Liu et al., 2025). So one rate serves both.

    Args:
        parameters: to optimise. Those of two axes or fewer, or with fewer than `FEWEST` rows or columns, get
            Adam.
        lr: learning rate.
        weight_decay: decoupled.
    """
    parameters = list(parameters)
    matrices = [p for p in parameters if p.dim() > 2 and min(len(p), p[0].numel()) >= FEWEST]
    taken = {id(p) for p in matrices}
    shared = {"lr": lr, "weight_decay": weight_decay}
    adam = {"use_muon": False, "betas": (0.9, 0.999), "eps": 1e-8, **shared}
    groups = [
        {"params": matrices, "use_muon": True, "momentum": 0.95, **shared},
        {"params": [p for p in parameters if id(p) not in taken], **adam},
    ]
    return _FullPrecision([group for group in groups if group["params"]], use_adjusted_lr=True)


class _FullPrecision(Muon):
    """The library's, but for bfloat16, which takes five times as long on a CPU without it."""

    @staticmethod
    def _orthogonalize(group: dict[str, Any], updates: list[Tensor]) -> list[Tensor]:
        return [
            zero_power_via_newton_schulz_5(
                update.flatten(1),
                num_steps=group["ns_steps"],
                weights=group["ns_coeffs"],
                dtype=torch.promote_types(update.dtype, torch.float32),
            )
            for update in updates
        ]
