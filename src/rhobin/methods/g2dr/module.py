"""G2DR as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.methods.base import Method
from rhobin.methods.g2dr.check import checked
from rhobin.methods.g2dr.decode import (
    SITES,
    decode_pose,
    drawn_maps,
    map_intrinsics,
    map_rays,
    site_frame,
)
from rhobin.methods.g2dr.gan import Adversary
from rhobin.methods.g2dr.loss import G2drLoss
from rhobin.methods.g2dr.net import G2drOutput
from rhobin.methods.g2dr.shapes import Shapes
from rhobin.methods.g2dr.symmetry import agreement, relabelled
from rhobin.methods.symmetry import choose
from rhobin.types import Batch, Drawing, ObjectPrediction, Prediction, required

SYMMETRIES = ("shared", "separate", "none")


class G2dr(Method):
    """Dense coordinates and regions of an object, and its pose from them.

    Args:
        net: a `G2drNet`.
        weights: weight of each of `G2drLoss`'s terms.
        late: weights that replace those from `switch` on; None for none.
        switch: share of the run at which they do.
        optim: how `net`, and `gan` where there is one, are trained; see `Method`.
        assets: object templates; not trained, not in checkpoints.
        input_size: width of the crops, pixels.
        stride: pixels of the crop that a pixel of the maps is wide.
        nocs: "box" or "cube", see `nocs_box`.
        regions: surface regions of an object.
        hidden: weight of hidden pixels in coordinates and regions.
        points: surface points that compare rotations.
        order: of their distance, 1 or 2, see `point_matching`.
        site: form of the translation, see `site_frame`.
        symmetry: "shared", one choice for a sample; "separate", one for the maps and one for the pose;
            "none".
        gan: the adversarial part; None for none.

    Raises:
        ValueError: unknown symmetry, site or order, or nothing to choose a symmetry by.
    """

    name, title = "g2dr", "G2DR"
    paper = "Xie et al., RHOBIN Challenge: Reconstruction of Human Object Interaction, section 3.1"
    automatic_optimization = False

    def __init__(
        self,
        net: nn.Module,
        weights: Mapping[str, float],
        late: Mapping[str, float] | None,
        switch: float,
        optim: Mapping[str, Mapping[str, Any]],
        assets: Assets,
        input_size: int,
        stride: int,
        nocs: str,
        regions: int,
        hidden: float,
        points: int,
        order: int = 1,
        site: str = "focal",
        symmetry: str = "shared",
        gan: Adversary | None = None,
    ) -> None:
        choices = (("symmetry", symmetry, SYMMETRIES), ("site", site, SITES), ("order", order, (1, 2)))
        for key, value, known in choices:
            if value not in known:
                raise ValueError(f"model.{key} is {value!r}; expected one of {', '.join(map(str, known))}")
        if symmetry != "none" and not (weights["nocs"] or weights["points"]):
            raise ValueError(
                "model.weights.nocs and points are both 0: nothing is learnt that could choose a symmetry; "
                "set model.symmetry=none"
            )
        shapes = Shapes(assets, nocs, regions, points, symmetry != "none")
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        trained = {name: how for name, how in optim.items() if gan or name != "gan"}
        super().__init__(
            net.to(**channels_last), G2drLoss(shapes, input_size, site, order, hidden), weights, trained
        )
        self.early, self.late, self.switch = dict(weights), {**weights, **(late or {})}, switch
        self.shapes, self.gan, self.symmetry, self.templates = shapes, gan, symmetry, assets.templates
        self.input_size, self.stride, self.site = input_size, stride, site

    def run_net(self, batch: Batch) -> G2drOutput:
        """Maps and pose of a batch."""
        rays = map_rays(map_intrinsics(batch.K_crop, self.stride), self.input_size // self.stride)
        return self.net(self.images(batch), batch.object_id, self.shapes.box[batch.object_id], rays)

    def decode(self, output: G2drOutput, batch: Batch) -> Prediction:
        """Pose of each object, metres, camera frame; and what RANSAC-PnP on the coordinates says of it.

        The extras are `confidence`, `pnp_inliers`, `pnp_turn_deg` and `pnp_shift_mm`: see `PnPCheck`.
        """
        R, t = self._pose(output, batch)
        box, K = self.shapes.box[batch.object_id], map_intrinsics(batch.K_crop, self.stride)
        templates = [self.templates[int(index)] for index in batch.object_id]
        return Prediction(object=ObjectPrediction(R, t), extras=checked(output, R, t, box, K, templates))

    def drawn(self, output: G2drOutput, batch: Batch) -> Drawing:
        """The network's maps beside the truth in the best frame, and the discriminator's scores of both."""
        box, K = self.shapes.box[batch.object_id], map_intrinsics(batch.K_crop, self.stride)
        maps, target = drawn_maps(output, box, K), self.in_best_frame(output, batch).target
        true = required(target.maps, "the object's maps")
        real, drawn = self.gan.scores(maps.nocs, true.nocs, true.amodal) if self.gan else (None, None)
        return Drawing(target, maps, real_score=real, drawn_score=drawn)

    def losses(self, output: G2drOutput, batch: Batch) -> dict[str, Tensor]:
        """Unweighted losses of an output and their sum under the weights of now; see `Method.losses`."""
        return self.losses_of(output, self.in_best_frame(output, batch))

    def losses_of(self, output: G2drOutput, batch: Batch) -> dict[str, Tensor]:
        """The same of a batch whose target is in the chosen frames already."""
        self.weights = self.early if self.clock.progress < self.switch else self.late
        return super().losses(output, batch)

    @torch.no_grad()
    def in_best_frame(self, output: G2drOutput, batch: Batch) -> Batch:
        """The batch with its target told in the frame of the symmetry that suits the prediction best."""
        if self.symmetry == "none":
            return batch
        R, _ = self._pose(output, batch)
        seen, posed = agreement(R, output.nocs, batch, self.shapes)
        trained = [matrix for name, matrix in (("nocs", seen), ("points", posed)) if self.early[name]]
        if self.symmetry == "shared":
            return self._relabelled(batch, torch.stack(trained).sum(0))
        maps, pose = self._relabelled(batch, seen), self._relabelled(batch, posed)
        return replace(maps, target=replace(maps.target, object=pose.target.object))

    def _pose(self, output: G2drOutput, batch: Batch) -> tuple[Tensor, Tensor]:
        return decode_pose(output, batch.K_crop, site_frame(batch, self.input_size, self.site))

    def _relabelled(self, batch: Batch, M: Tensor) -> Batch:
        return relabelled(batch, *choose(M, batch.object_id, self.shapes.symmetries), self.shapes)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """One step of the network, and of the discriminator from the moment that it takes part.

        Raises:
            NonFiniteLossError: naming the step, the losses and the views.
        """
        output = self.run_net(batch)
        batch = self.in_best_frame(output, batch)
        losses = self.losses_of(output, batch)
        descents, logged = {"net": losses["loss"]}, {}
        if self.gan and self.clock.progress >= self.gan.start:
            maps = required(batch.target.maps, "the object's maps")
            duel = self.gan(output.nocs, losses["nocs"], self.weights["nocs"], maps.nocs, maps.amodal)
            losses["loss"] = losses["loss"] + duel.generator
            descents = {"net": descents["net"] + duel.surrogate, "gan": duel.discriminator}
            logged = duel.logged
        self.check_finite({**losses, **logged}, batch)
        norms = self.descend_together(descents)
        return self.report({**losses, **logged, **{f"gradient/{name}": norm for name, norm in norms.items()}})
