"""BEV-HybrIK as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.geometry.depth_bins import DepthBins
from rhobin.methods.base import Method
from rhobin.methods.bev_hybrik.decode import Lifting, decode_body
from rhobin.methods.bev_hybrik.loss import BevHybrikLoss
from rhobin.methods.bev_hybrik.net import BevHybrikOutput
from rhobin.nets.images import normalized
from rhobin.types import Batch, Prediction, required


class BevHybrik(Method):
    """The person's centre in a volume, 3D joints, shape and twists, and the body posed by them.

    Args:
        net: a `BevHybrikNet`.
        weights: weight of each of `BevHybrikLoss`'s terms.
        optim: how `net` is trained, see `Method`.
        assets: body models; not trained, not in checkpoints.
        depth_range: metres that heatmap depth spans.
        depth_bins: of the volume that the centre maps stand in.
        posing: share of the run after which the posed body is compared.
        taught: shares of the run until which the heads are told the true centre, and from which only the
            predicted one; between, a growing share of the samples is told the predicted one.
    """

    name, title = "bev_hybrik", "BEV-HybrIK"
    loss: BevHybrikLoss

    def __init__(
        self,
        net: nn.Module,
        weights: Mapping[str, float],
        optim: Mapping[str, Mapping[str, Any]],
        assets: Assets,
        depth_range: float,
        depth_bins: DepthBins,
        posing: float,
        taught: tuple[float, float],
    ) -> None:
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        bodies = assets.bodies
        net.get_submodule("backbone").to(**channels_last)  # 3D convolutions know no such format
        super().__init__(net, BevHybrikLoss(bodies, depth_range), weights, optim)
        self.bodies, self.depth_range = bodies, depth_range
        self.depth_bins = depth_bins
        self.posing, self.taught = posing, (float(taught[0]), float(taught[1]))

    def run_net(self, batch: Batch) -> BevHybrikOutput:
        """Centre maps, joints, shape and twists of a batch; in training some heads are told the centre."""
        image = normalized(batch.image).contiguous(memory_format=torch.channels_last)
        if not self.training:
            return self.net(image)
        bev = required(batch.target.bev, "the centre maps")
        teach = torch.rand(len(batch), device=image.device) >= self.own_share
        return self.net(image, bev.cell + bev.offset, teach & (bev.weight > 0))

    @property
    def own_share(self) -> float:
        """Share of samples whose heads are told the predicted centre now."""
        begin, end = self.taught
        return min(1.0, max(0.0, (self.clock.progress - begin) / max(end - begin, 1e-9)))

    def losses(self, output: BevHybrikOutput, batch: Batch) -> dict[str, Tensor]:
        """Unweighted losses of an output and their weighted sum; see `Method.losses`."""
        self.loss.posing = self.clock.progress >= self.posing
        return super().losses(output, batch)

    def decode(self, output: BevHybrikOutput, batch: Batch) -> Prediction:
        """Body of each crop, metres, camera frame.

        The extra `joints_sigma` (B, 29) is the uncertainty of each joint, in heatmap units.
        """
        lifting = Lifting(batch.K_crop, batch.image.shape[-1], self.depth_range)
        human = decode_body(output, lifting, batch.gender, self.bodies, self.depth_bins)
        return Prediction(human=human, extras={"joints_sigma": output.human.sigma})
