"""Bodies and objects fitted to the fields, in the phases of the released code (paper sec. 3.3).

First the body alone: its place and shape, then its pose as well. Then the object alone, then the object
beside the body, which is held, where both touch. Every frame of a batch is fitted by itself: losses are
summed over frames, and Adam moves each number by its own gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from rhobin.body.surface_points import PosedPoints, SurfacePoints
from rhobin.geometry.rotation import length, rotvec_to_rotmat
from rhobin.methods.chore.space import Space
from rhobin.methods.chore.start import Body, Found, Query

TURNED = 22  # joints that a fit turns: fingers stay as they begin
PAIRED = 10  # steps after which found points are paired with the nearest points of the surface anew
APART = 1e3  # metres; more than any two points of one scene are apart


@dataclass(frozen=True)
class FitConfig:
    """How a fit goes on: the keys of `model.fit`.

    Attributes:
        steps: of each phase: `place`, `pose`, `object`, `joint`; each is one evaluation of the network.
        rates: Adam's rate in each phase.
        fall: share of a rate that is left at the end of its phase.
        clamps: distance in metres beyond which a field draws no `person` and no `object`.
        touch: distance in metres from the other surface at which points are in contact.
        weights: of the terms: `person` and `object`, mean distances of points of a surface by the fields;
            `part`, cross-entropy of their parts; `start` and `object_start`, squared turns from the first
            pose; `shape`, squared shape coefficients; `cloud` and `object_cloud`, mean distances of found
            points to the surface; `centre`, squared distance of the object's centre from the fields';
            `contact`, mean squared distances of touching points.
    """

    steps: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    fall: float = 1.0
    clamps: Mapping[str, float] = field(default_factory=dict)
    touch: float = 0.08
    weights: Mapping[str, float] = field(default_factory=dict)


class Scene(NamedTuple):
    """What a fit is about.

    Attributes:
        query: asks the network's fields.
        space: of the crops.
        found: points on both surfaces, and what they say.
        gender: (B,) index into `GENDERS`.
        template: (B, K, 3) points of each object's template, metres.
    """

    query: Query
    space: Space
    found: Found
    gender: Int64[Tensor, " B"]
    template: Float[Tensor, "B K 3"]


class Placed(NamedTuple):
    """Objects: rotations (B, 3, 3) and translations (B, 3), metres."""

    R: Tensor
    t: Tensor


def fit_body(scene: Scene, start: Body, surface: SurfacePoints, config: FitConfig) -> Body:
    """Bodies fitted to the fields.

    Args:
        scene: what is fitted to.
        start: first bodies.
        surface: points of the bodies.
        config: how.
    """
    turn = start.beta.new_zeros(len(start.beta), TURNED, 3).requires_grad_(True)
    beta, trans = (value.detach().clone().requires_grad_(True) for value in (start.beta, start.trans))
    terms = BodyTerms(scene, surface, config)

    def loss(step: int) -> Tensor:
        body = turned(start, turn, beta, trans)
        posed = surface(*body, scene.gender)
        return terms(step, posed, turn, beta)

    descend([beta, trans], "place", config, loss)
    descend([turn, beta, trans], "pose", config, loss)
    return Body(*(value.detach() for value in turned(start, turn, beta, trans)))


def turned(start: Body, turn: Tensor, beta: Tensor, trans: Tensor) -> Body:
    """The first bodies with their joints turned further by rotation vectors (B, 22, 3)."""
    moved = start.theta[:, :TURNED] @ rotvec_to_rotmat(turn)
    return Body(torch.cat((moved, start.theta[:, TURNED:]), 1), beta, trans)


class BodyTerms:
    """The loss of bodies, summed over frames."""

    def __init__(self, scene: Scene, surface: SurfacePoints, config: FitConfig) -> None:
        self.scene, self.surface, self.config = scene, surface, config
        self.label = scene.found.part.argmax(-1)
        self.pairs = self.label

    def __call__(self, step: int, posed: PosedPoints, turn: Tensor, beta: Tensor) -> Tensor:
        """Loss at one step."""
        scene, weights = self.scene, self.config.weights
        factor = scene.space.factor(posed.joints[:, 0, 2])
        points = posed.points * factor[:, None, None]
        said = scene.query(points, ("distance", "part"))
        part = self.surface.part.expand(len(points), -1)
        terms = {
            "person": said["distance"][:, 0].abs().clamp(max=self.config.clamps["person"]).mean(1),
            "part": F.cross_entropy(said["part"], part, reduction="none").mean(1),
            "start": turn.square().sum((1, 2)),
            "shape": beta.square().sum(1),
        }
        if weights["cloud"]:
            found, on = scene.found.points[:, 0], scene.found.on[:, 0]
            if step % PAIRED == 0:
                other = self.label[..., None] != part[:, None]
                self.pairs = nearest(found, points.detach(), other)
            terms["cloud"] = cloud(found, on, points, self.pairs)
        return weighted(terms, weights)


def fit_object(
    scene: Scene, start: Placed, body: PosedPoints, part: Int64[Tensor, " M"], config: FitConfig
) -> Placed:
    """Objects fitted to the fields, then to the body as well.

    Args:
        scene: what is fitted to.
        start: first poses, metres.
        body: points of the fitted bodies.
        part: (M,) their parts.
        config: how.
    """
    turn = start.t.new_zeros(start.t.shape).requires_grad_(True)
    t = start.t.detach().clone().requires_grad_(True)
    terms = ObjectTerms(scene, body, part, config)

    def placed() -> Placed:
        return Placed(start.R @ rotvec_to_rotmat(turn), t)

    def held() -> Tensor:
        return config.weights["object_start"] * turn.square().sum()

    descend([turn, t], "object", config, lambda step: terms(step, placed(), beside=False) + held())
    descend([t], "joint", config, lambda step: terms(step, placed(), beside=True))
    return Placed(*(value.detach() for value in placed()))


class ObjectTerms:
    """The loss of objects, summed over frames."""

    def __init__(self, scene: Scene, body: PosedPoints, part: Int64[Tensor, " M"], config: FitConfig) -> None:
        self.scene, self.config, self.part = scene, config, part
        self.factor = scene.space.factor(body.joints[:, 0, 2])[:, None, None]
        self.body = body.points * self.factor
        self.pairs = part.new_zeros(scene.found.on[:, 1].shape)

    def __call__(self, step: int, pose: Placed, beside: bool) -> Tensor:
        """Loss at one step, with or without the body beside the object."""
        scene, weights = self.scene, self.config.weights
        points = (scene.template @ pose.R.mT + pose.t[:, None]) * self.factor
        count = points.shape[1]
        asked = torch.cat((points, self.body), 1) if beside else points
        said = scene.query(asked, ("distance", "part") if beside else ("distance",))
        off = scene.found.centre[:, 1] - pose.t * self.factor[:, 0]
        own = said["distance"][:, 1, :count].abs().clamp(max=self.config.clamps["object"])
        terms = {"object": own.mean(1), "centre": off.square().sum(1)}
        if weights["object_cloud"]:
            found, on = scene.found.points[:, 1], scene.found.on[:, 1]
            if step % PAIRED == 0:
                self.pairs = nearest(found, points.detach())
            terms["object_cloud"] = cloud(found, on, points, self.pairs)
        if beside:
            terms["contact"] = self.contact(points, said, count)
        return weighted(terms, weights)

    def contact(self, points: Tensor, said: Mapping[str, Tensor], count: int) -> Tensor:
        """Squared distances (B,) between points of both surfaces that are near the other one, by part."""
        touch = self.config.touch
        near = said["distance"] < touch
        thing, person = near[:, 0, :count], near[:, 1, count:]
        label = said["part"][..., :count].argmax(1)
        other = (label[..., None] != self.part) | ~thing[..., None] | ~person[:, None]
        apart = torch.cdist(points.detach(), self.body).masked_fill(other, APART)
        total = torch.zeros_like(apart[:, 0, 0])
        for axis in (1, 2):
            least, pairs = apart.min(axis)
            paired, pairs = (least < APART).float(), pairs[..., None].expand(-1, -1, 3)
            off = points.gather(1, pairs) - self.body if axis == 1 else points - self.body.gather(1, pairs)
            total = total + (off.square().sum(-1) * paired).sum(1) / paired.sum(1).clamp(min=1)
        return total


def descend(
    parameters: Sequence[Tensor], phase: str, config: FitConfig, loss: Callable[[int], Tensor]
) -> None:
    """Move parameters by a phase's steps of Adam."""
    steps, rate = config.steps[phase], config.rates[phase]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 + (config.fall - 1) * step / steps)
        optimizer.zero_grad()
        loss(step).backward(inputs=list(parameters))
        optimizer.step()


def weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Weighted sum of terms (B,), over frames as well."""
    return torch.stack([weights[name] * term.sum() for name, term in terms.items()]).sum()


def nearest(
    found: Float[Tensor, "B N 3"], points: Float[Tensor, "B M 3"], apart: Tensor | None = None
) -> Int64[Tensor, "B N"]:
    """For each found point the nearest of a surface's; `apart` (B, N, M) marks pairs that do not count."""
    distance = torch.cdist(found, points)
    return (distance if apart is None else distance.masked_fill(apart, APART)).argmin(-1)


def cloud(
    found: Float[Tensor, "B N 3"], on: Float[Tensor, "B N"], points: Float[Tensor, "B M 3"], pairs: Tensor
) -> Float[Tensor, " B"]:
    """Mean distance (B,) of found points, those on a surface, to the points that they are paired with."""
    chosen = points.gather(1, pairs[..., None].expand(-1, -1, 3))
    off = length(found - chosen)[..., 0]
    return (off * on).sum(1) / on.sum(1).clamp(min=1)
