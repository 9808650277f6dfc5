"""CHORE as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.surface_points import SurfacePoints
from rhobin.methods.base import Method
from rhobin.methods.chore.loss import ChoreLoss
from rhobin.methods.chore.net import ChoreNet, Values
from rhobin.methods.chore.space import Space
from rhobin.methods.chore.start import find_surfaces, place_body
from rhobin.methods.chore.truth import field_truth
from rhobin.nets.pixels import PixelMaps
from rhobin.types import Batch, HumanPrediction, ObjectPrediction, Prediction, required


class Chore(Method):
    """Contact, human and object reconstruction: neural fields, then a fit to them.

    Args:
        net: a `ChoreNet`.
        weights: weight of each of `ChoreLoss`'s terms.
        optim: how `net` is trained, see `Method`.
        assets: body models and object templates; not trained, not in checkpoints.
        width: metres that a crop shows at the pelvis's depth, once scaled: see `Space`.
        clamp: distance in metres beyond which a field need not be right.
        near: distance in metres from a surface within which points learn axes and centres.
        search: how points of both surfaces are found: `count`, `steps`, `reach`, `near` of `find_surfaces`.
        points: of each body that are fitted.
        seed: of the points that the search begins with.
    """

    name, title, any_size = "chore", "CHORE", True
    paper = "Xie et al., CHORE: Contact, Human and Object REconstruction from a single RGB image, ECCV 2022"
    net: ChoreNet

    def __init__(
        self,
        net: ChoreNet,
        weights: Mapping[str, float],
        optim: Mapping[str, Mapping[str, Any]],
        assets: Assets,
        width: float,
        clamp: float,
        near: float,
        search: Mapping[str, Any],
        points: int,
        seed: int,
    ) -> None:
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        super().__init__(net.to(**channels_last), ChoreLoss(clamp, near), weights, optim)
        self.bodies, self.surface = assets.bodies, SurfacePoints(assets.bodies, points)
        self.width, self.search, self.seed = width, dict(search), seed

    def run_net(self, batch: Batch) -> PixelMaps:
        """The maps of a batch's images, which the fields are read from."""
        return self.net(self.images(batch))

    def losses(self, output: PixelMaps, batch: Batch) -> dict[str, Tensor]:
        """Losses of the fields at the batch's points."""
        space = self.space(batch)
        truth = field_truth(batch, space)
        return super().losses(self.net.query(output, truth.points, space), truth)  # type: ignore[arg-type]

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """As any method's; the batch's bodies count for the mean one."""
        self.net.mean.add(required(batch.target.human, "the person"))
        return super().training_step(batch, batch_idx)

    def space(self, batch: Batch) -> Space:
        """The scaled space of a batch's crops."""
        return Space(batch.K_crop, batch.image.shape[-1], self.width)

    def decode(self, output: PixelMaps, batch: Batch) -> Prediction:
        """Body and object of each crop, metres, camera frame."""
        with torch.inference_mode(False), torch.enable_grad():
            maps = PixelMaps(tuple(m.clone() for m in output.stacks), output.fine.clone())
            space = Space(batch.K_crop.clone(), batch.image.shape[-1], self.width)
            gender = batch.gender.clone()

            def query(points: Tensor, names: Sequence[str]) -> Values:
                return self.net.query(maps, points, space, names)[-1]

            generator = torch.Generator().manual_seed(self.seed)
            found = find_surfaces(query, space, **self.search, generator=generator)
            body = place_body(found, space, self.surface, self.net.mean, gender)
            pelvis = body.trans + self.bodies.rest_joints(body.beta, gender)[:, 0]
            factor = space.factor(pelvis[:, 2])[:, None]
            human = HumanPrediction(body.theta, body.beta, body.trans)
            return Prediction(human, ObjectPrediction(found.R, found.centre[:, 1] / factor))
