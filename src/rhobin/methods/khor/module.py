"""KHOR as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.bodyset import BodySet
from rhobin.methods.base import Method
from rhobin.methods.khor.decode import decode
from rhobin.methods.khor.loss import TERMS, KhorLoss
from rhobin.methods.khor.net import KhorNet, KhorOutput
from rhobin.methods.khor.symmetry import nearest_target
from rhobin.methods.symmetry import Symmetries
from rhobin.nets.lifting import Lifting
from rhobin.types import Batch, Prediction, required

SYMMETRIES = ("none", "minimum")


class Khor(Method):
    """Keypoint-based human and object reconstruction.

    Args:
        net: a `KhorNet`.
        weights: weight of each of `KhorLoss`'s terms; those of a part that the net lacks are not read.
        optim: how `net` is trained, see `Method`.
        assets: body models and object templates; not trained, not in checkpoints.
        input_size: width of the crops in pixels.
        depth_range: metres that heatmap depth spans.
        symmetry: "minimum", the least loss over the poses in which an object looks the same, or "none", the
            loss of the annotator's.
        adaptive: whether inverse kinematics follows the body's own bones, see `hybrik`.

    Raises:
        ValueError: unknown symmetry.
    """

    name, title, any_size = "khor", "KHOR", True
    paper = "Xie et al., RHOBIN Challenge: Reconstruction of Human Object Interaction, section 3.3"
    net: KhorNet
    bodies: BodySet
    template_kpts: Tensor

    def __init__(
        self,
        net: KhorNet,
        weights: Mapping[str, float],
        optim: Mapping[str, Mapping[str, Any]],
        assets: Assets,
        input_size: int,
        depth_range: float,
        symmetry: str,
        adaptive: bool,
    ) -> None:
        if symmetry not in SYMMETRIES:
            raise ValueError(f"model.symmetry is {symmetry!r}; expected any of {', '.join(SYMMETRIES)}")
        absent = {term for part, terms in TERMS.items() if part not in net.parts for term in terms}
        weights = {term: weight for term, weight in weights.items() if term not in absent}
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        super().__init__(net.to(**channels_last), KhorLoss(), weights, optim)
        self.bodies = assets.bodies
        self.register_buffer("template_kpts", assets.keypoints(), persistent=False)
        self.symmetries = None
        if symmetry == "minimum" and "object" in net.parts:
            self.symmetries = Symmetries(assets.templates, len(assets.names))
        self.input_size, self.depth_range, self.adaptive = input_size, depth_range, adaptive

    def run_net(self, batch: Batch) -> KhorOutput:
        """Heatmap coordinates, shape and twist of a batch."""
        return self.net(self.images(batch), batch.object_id)

    def losses(self, output: KhorOutput, batch: Batch) -> dict[str, Tensor]:
        """Losses of an output, in the frame of the symmetry that suits it best where symmetries count."""
        if self.symmetries is not None:
            batch = nearest_target(output, batch, self.symmetries, self.template_kpts, self.depth_range)
        return super().losses(output, batch)

    def decode(self, output: KhorOutput, batch: Batch) -> Prediction:
        """Body and object of each crop, metres, camera frame.

        The extras `joints_sigma_mm` (B, 29) and `kpts_sigma_mm` (B, 8) are how far each joint and each
        keypoint of the object may be off, before calibration.
        """
        lifting = Lifting(batch.K_crop, self.input_size, self.depth_range)
        prediction = decode(
            output,
            lifting,
            batch.gender,
            batch.object_id,
            self.bodies,
            self.template_kpts,
            self.adaptive,
        )
        return replace(prediction, extras=spreads(output, prediction, lifting))


def spreads(output: KhorOutput, prediction: Prediction, lifting: Lifting) -> dict[str, Tensor]:
    """How far each point that a part is fitted to may be off, millimetres; see `Khor.decode`.

    Args:
        output: of the network.
        prediction: that was made of it, camera frame.
        lifting: of the crops.
    """
    human, obj, found = prediction.human, prediction.object, {}
    if output.human is not None and human is not None:
        depth = required(human.joints, "the joints")[:, 0, 2]
        found["joints_sigma_mm"] = lifting.spread_mm(output.human.sigma, depth)
    if output.object is not None and obj is not None:
        depth = required(obj.kpts, "the keypoints")[..., 2].mean(1)
        found["kpts_sigma_mm"] = lifting.spread_mm(output.object.sigma, depth)
    return found
