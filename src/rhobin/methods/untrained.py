"""Methods that train nothing: each view is optimised by itself when it is predicted (decision 0175)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.methods.base import Method
from rhobin.types import Batch

MEANS = {"mean_joints": (29, 3), "mean_beta": (10,), "mean_twist": (23, 2), "mean_facing": (3, 3)}
"""What a run of such a method keeps in its checkpoint, by name and shape: the training views' mean body."""


class Untrained(Method):
    """A method without a network, a loss or an optimiser; a subclass writes `decode`, whose output is None.

    Attributes:
        mean_joints: (29, 3) mean joints of the training views in the body's frame, metres.
        mean_beta: (10,) mean shape.
        mean_twist: (23, 2) mean cosine and sine of the twists.
        mean_facing: (3, 3) mean orientation of the training bodies in their cameras.
    """

    any_size = True
    mean_joints: Tensor
    mean_beta: Tensor
    mean_twist: Tensor
    mean_facing: Tensor

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), {}, {})
        for name, shape in MEANS.items():
            self.register_buffer(name, torch.full(shape, torch.nan))

    def take_means(self, means: Mapping[str, Any]) -> None:
        """Keep the mean body of the training views, by the names of `MEANS`."""
        for name, shape in MEANS.items():
            getattr(self, name).copy_(torch.as_tensor(means[name]).reshape(shape))

    def run_net(self, batch: Batch) -> None:
        """Nothing: there is no network."""
