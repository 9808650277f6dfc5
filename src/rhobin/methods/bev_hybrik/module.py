"""BEV-HybrIK as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rhobin import ranks
from rhobin.assets import Assets
from rhobin.geometry.depth_bins import DepthBins
from rhobin.methods.base import Method
from rhobin.methods.bev_hybrik.decode import BodyParts, decode_body, parts_of
from rhobin.methods.bev_hybrik.looks import in_crop
from rhobin.methods.bev_hybrik.loss import BevHybrikLoss
from rhobin.methods.bev_hybrik.net import BevHybrikOutput
from rhobin.methods.variants import Seen, Variant, look, mean_of, variants
from rhobin.nets.lifting import Lifting
from rhobin.types import Batch, CentreMaps, Drawing, Prediction, required


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
        testing: `scales` of the crop's side, and whether it is also looked at `mirrored`, when predicting.
        taught: shares of the run until which the heads are told the true centre, and from which only the
            predicted one; between, a growing share of the samples is told the predicted one.
    """

    name, title, any_size = "bev_hybrik", "BEV-HybrIK", True
    paper = "Xie et al., RHOBIN Challenge: Reconstruction of Human Object Interaction, section 3.2"
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
        testing: Mapping[str, Any],
    ) -> None:
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        bodies = assets.bodies
        net.get_submodule("backbone").to(**channels_last)  # 3D convolutions know no such format
        super().__init__(net, BevHybrikLoss(bodies, depth_range), weights, optim)
        self.bodies, self.depth_range = bodies, depth_range
        self.depth_bins = depth_bins
        self.looks = variants(**testing)
        self.posing, self.taught = posing, (float(taught[0]), float(taught[1]))

    def run_net(self, batch: Batch) -> BevHybrikOutput:
        """Centre maps, joints, shape and twists of a batch; in training some heads are told the centre."""
        image = self.images(batch)
        if not self.training:
            return self.net(image)
        bev = required(batch.target.bev, "the centre maps")
        drawn = ranks.own(torch.rand(len(batch) * ranks.count(), device=image.device))
        teach = drawn >= self.own_share
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

        The extra `joints_sigma_mm` (B, 29) is how far each joint may be off, before calibration.
        """
        return self._pose(self._told(Seen(Variant(), batch, output)), batch)

    def drawn(self, output: BevHybrikOutput, batch: Batch) -> Drawing:
        """The centre in front view and from above."""
        front, bird = output.bev.front, output.bev.bird
        focal = (batch.K_crop[:, :1, 0] / batch.image.shape[-1]).expand(-1, bird.shape[1])
        bins = torch.arange(bird.shape[1]).to(focal).expand_as(focal)
        depths = self.depth_bins.depth(bins, focal)
        return Drawing(batch.target, centre=CentreMaps(front, bird, output.place, depths))

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Bodies of a batch, metres, camera frame; the mean over all looks where several are asked for."""
        seen = look(self.run_net, batch, self.looks)
        return self._pose(mean_of([self._told(one) for one in seen]), batch)

    def _told(self, seen: Seen[BevHybrikOutput]) -> BodyParts:
        parts = parts_of(seen.output, self._lifting(seen.batch), self.depth_bins)
        return in_crop(parts, seen.variant, seen.batch.image.shape[-1])

    def _pose(self, parts: BodyParts, batch: Batch) -> Prediction:
        lifting = self._lifting(batch)
        human = decode_body(parts, lifting, batch.gender, self.bodies)
        spread = lifting.spread_mm(parts.sigma, required(human.joints, "the joints")[:, 0, 2])
        return Prediction(human=human, extras={"joints_sigma_mm": spread})

    def _lifting(self, batch: Batch) -> Lifting:
        return Lifting(batch.K_crop, batch.image.shape[-1], self.depth_range)
