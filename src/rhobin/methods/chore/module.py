"""CHORE as a Lightning module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.surface_points import SurfacePoints, spread
from rhobin.methods.base import Method
from rhobin.methods.chore.fit import FitConfig, Placed, Scene, fit_body, fit_object
from rhobin.methods.chore.known import KnownBodies
from rhobin.methods.chore.loss import ChoreLoss
from rhobin.methods.chore.net import ChoreNet, Values
from rhobin.methods.chore.space import Space
from rhobin.methods.chore.start import Found, find_surfaces, place_body
from rhobin.methods.chore.truth import field_truth
from rhobin.nets.pixels import PixelMaps
from rhobin.types import Batch, HumanPrediction, ObjectPrediction, Prediction, Target, map_tensors, required

FIELDS = "fields"
"""What `model.start` says where first bodies come from the fields and the training's mean body alone."""


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
        fit: keys of `FitConfig`.
        points: of each body and object that are fitted.
        start: "fields", or a folder that `KnownBodies` reads first bodies from.
        seed: of the points that the search begins with.
    """

    name, title, any_size = "chore", "CHORE", True
    paper = "Xie et al., CHORE: Contact, Human and Object REconstruction from a single RGB image, ECCV 2022"
    net: ChoreNet
    templates: Tensor

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
        fit: Mapping[str, Any],
        points: int,
        start: str,
        seed: int,
    ) -> None:
        channels_last: Any = {"memory_format": torch.channels_last}  # nn.Module.to's annotation lacks it
        super().__init__(net.to(**channels_last), ChoreLoss(clamp, near), weights, optim)
        self.bodies, self.surface = assets.bodies, SurfacePoints(assets.bodies, points)
        self.register_buffer("templates", template_points(assets, points), persistent=False)
        self.width, self.search, self.fit, self.seed = width, dict(search), FitConfig(**fit), seed
        self.start = start

    @property
    def evaluated(self) -> torch.nn.Module:
        """The head that is asked for distances: every step of search and fit asks once."""
        return self.net.asked

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
        """Body and object of each crop, metres, camera frame; while training, the first ones, without a fit.

        The fit descends, so it needs gradients, also where the caller wants none.
        """
        with torch.inference_mode(False), torch.enable_grad():
            maps = PixelMaps(tuple(stack.clone() for stack in output.stacks), output.fine.clone())
            return self.fitted(maps, map_tensors(replace(batch, target=Target()), torch.clone))

    def fitted(self, maps: PixelMaps, batch: Batch) -> Prediction:
        """The same of maps and a batch whose tensors can take part in gradients."""
        space, training = self.space(batch), self.clock.batches_per_epoch > 0

        def query(points: Tensor, names: Sequence[str]) -> Values:
            return self.net.query(maps, points, space, names)[-1]

        generator = torch.Generator().manual_seed(self.seed)
        found = find_surfaces(query, space, **self.search, generator=generator)
        scene = Scene(query, space, found, batch.gender, self.templates[batch.object_id])
        body = self.first_body(found, batch)
        if not training:
            body = fit_body(scene, body, self.surface, self.fit)
        posed = self.surface(*body, batch.gender)
        factor = space.factor(posed.joints[:, 0, 2])[:, None]
        placed = Placed(found.R, found.centre[:, 1] / factor)
        if not training:
            placed = fit_object(scene, placed, posed, self.surface.part, self.fit)
        return Prediction(HumanPrediction(*body), ObjectPrediction(*placed))

    def first_body(self, found: Found, batch: Batch) -> Any:
        """Where a fit of the body starts."""
        if self.start == FIELDS:
            count = len(batch)
            theta, beta = self.net.mean.pose().repeat(count, 1, 1, 1), self.net.mean.beta.repeat(count, 1)
            theta[:, 0] = torch.eye(3).to(theta)
        else:
            known = KnownBodies(Path(self.start))
            theta, beta = known(batch.keys, batch.turn, batch.gender, self.bodies)
        turn = self.start == FIELDS
        return place_body(found, self.space(batch), self.surface, (theta, beta), batch.gender, turn)


def template_points(assets: Assets, count: int) -> Tensor:
    """Points (O, count, 3) of the templates' surfaces by object id, metres; zeros for an absent one."""
    points = torch.zeros(len(assets.names), count, 3)
    for index, template in assets.templates.items():
        corners, shares, _ = spread(template.verts, template.faces, count, np.random.default_rng(0))
        points[index] = torch.from_numpy(np.einsum("mk,mkc->mc", shares, template.verts[corners])).float()
    return points
