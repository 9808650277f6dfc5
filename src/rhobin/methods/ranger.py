"""Ranger as GDR-Net uses it: rectified Adam, lookahead and gradient centralisation."""

from collections.abc import Iterable

from pytorch_optimizer import Ranger
from torch import nn


def ranger(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0) -> Ranger:
    """GDR-Net's Ranger (`lib/torch_utils/solver/ranger.py`), by the library `pytorch_optimizer`.

    `degenerated_to_sgd` makes the first steps, in which the variance is not yet known, steps of momentum; the
    library's default climbs the gradient there (docs/decisions/0104).

    Args:
        parameters: to optimise.
        lr: learning rate.
        weight_decay: decoupled.
    """
    return Ranger(
        list(parameters),
        lr=lr,
        betas=(0.95, 0.999),
        weight_decay=weight_decay,
        n_sma_threshold=5,
        degenerated_to_sgd=True,
        k=6,
        alpha=0.5,
        use_gc=True,
        gc_conv_only=False,
        eps=1e-5,
    )
