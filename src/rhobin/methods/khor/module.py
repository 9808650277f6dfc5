"""KHOR as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.body.bodyset import BodySet
from rhobin.methods.base import Method
from rhobin.methods.khor.decode import decode
from rhobin.methods.khor.loss import KhorLoss
from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.images import normalized
from rhobin.types import Batch, Prediction


class Khor(Method):
    """Keypoint-based human and object reconstruction.

    Args:
        net: a `KhorNet`.
        weights: weight of each of `KhorLoss`'s terms.
        optim: how `net` is trained, see `Method`.
        assets: body models and object templates; not trained, not in checkpoints.
        input_size: width of the crops in pixels.
        depth_range: metres that heatmap depth spans.
    """

    name, title, any_size = "khor", "KHOR", True
    paper = "Xie et al., RHOBIN Challenge: Reconstruction of Human Object Interaction, section 3.3"
    bodies: BodySet
    template_kpts: Tensor

    def __init__(
        self,
        net: nn.Module,
        weights: Mapping[str, float],
        optim: Mapping[str, Mapping[str, Any]],
        assets: Assets,
        input_size: int,
        depth_range: float,
    ) -> None:
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        super().__init__(net.to(**channels_last), KhorLoss(), weights, optim)
        self.bodies = assets.bodies
        self.register_buffer("template_kpts", assets.keypoints(), persistent=False)
        self.input_size, self.depth_range = input_size, depth_range

    def run_net(self, batch: Batch) -> KhorOutput:
        """Heatmap coordinates, shape and twist of a batch."""
        return self.net(
            normalized(batch.image).contiguous(memory_format=torch.channels_last), batch.object_id
        )

    def decode(self, output: KhorOutput, batch: Batch) -> Prediction:
        """Body and object of each crop, metres, camera frame."""
        return decode(
            output,
            batch.K_crop,
            batch.gender,
            batch.object_id,
            self.bodies,
            self.template_kpts,
            self.input_size,
            self.depth_range,
        )
