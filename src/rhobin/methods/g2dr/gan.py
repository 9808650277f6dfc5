"""The adversarial part of G2DR (report sec. 3.1.1, eq. 1 and 2): a discriminator of coordinate maps.

Real and generated maps are seen through the same mask, that of the whole object: outside it coordinates are
not supervised, and what the network draws there would give it away.

The discriminator's opinion reaches the network as one gradient on its coordinate map. So a single backward
pass moves both networks, and neither loss touches the other's weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin import ranks
from rhobin.nets.discriminator import real_and_fake

Scores = Float[Tensor, " B"]
MOMENTUM = 0.98  # of the running gradient norms


def non_saturating(real: Scores, fake: Scores) -> tuple[Tensor, Tensor]:
    """Losses of discriminator and generator: binary cross-entropy (Goodfellow et al., NeurIPS 2014)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean(), F.softplus(-fake).mean()


def hinge(real: Scores, fake: Scores) -> tuple[Tensor, Tensor]:
    """The same with hinges (Lim and Ye, 2017)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean(), -fake.mean()


def least_squares(real: Scores, fake: Scores) -> tuple[Tensor, Tensor]:
    """The same with squares (Mao et al., ICCV 2017)."""
    return (real - 1).square().mean() + fake.square().mean(), (fake - 1).square().mean()


KINDS: dict[str, Callable[[Scores, Scores], tuple[Tensor, Tensor]]] = {
    "non_saturating": non_saturating,
    "hinge": hinge,
    "lsgan": least_squares,
}


class Duel(NamedTuple):
    """What one batch says.

    Attributes:
        generator: the generator's loss, of which `surrogate` has the gradient.
        surrogate: 0, with the weighted gradient of the generator's loss on the coordinate map.
        discriminator: the discriminator's loss.
        logged: numbers to log.
    """

    generator: Tensor
    surrogate: Tensor
    discriminator: Tensor
    logged: dict[str, Tensor]


class Adversary(nn.Module):
    """A discriminator, how it is trained, and how much it says.

    Args:
        discriminator: makes, from the width of the maps, what scores maps (B, 3, h, w) in [-1, 1].
        input_size: width of the crops, pixels.
        stride: pixels of the crop that a pixel of the maps is wide.
        loss: "non_saturating" (Pix2Pose and the report), "hinge" or "lsgan".
        start: share of the run after which it takes part.
        weight: of the generator's loss, for each unit of the coordinates' weight; None where `share` decides.
        share: norm of its gradient on the coordinate map, as a share of that of the coordinates' own loss,
            by running means; None for a fixed weight.

    Raises:
        ValueError: an unknown loss, or not exactly one of `weight` and `share`.
    """

    norms: Tensor

    def __init__(
        self,
        discriminator: Callable[..., nn.Module],
        input_size: int,
        stride: int,
        loss: str = "non_saturating",
        start: float = 0.0,
        weight: float | None = None,
        share: float | None = None,
    ) -> None:
        super().__init__()
        if loss not in KINDS:
            raise ValueError(f"model.gan.loss is {loss!r}; expected one of {', '.join(KINDS)}")
        if (weight is None) == (share is None):
            raise ValueError("model.gan needs one of weight and share, and null for the other")
        self.discriminator = discriminator(size=input_size // stride)
        self.kind, self.start = KINDS[loss], start
        self.weight, self.share = weight, share
        self.register_buffer("norms", torch.zeros(2))

    def forward(
        self, nocs: Tensor, coordinate_loss: Tensor, coordinate_weight: float, real: Tensor, mask: Tensor
    ) -> Duel:
        """Score a batch.

        Args:
            nocs: (B, 3, h, w) predicted coordinates, part of a graph.
            coordinate_loss: loss of the coordinates, from the same graph.
            coordinate_weight: its weight.
            real: (B, 3, h, w) true coordinates in the frame of the chosen symmetry.
            mask: (B, h, w) mask of the whole object.
        """
        with torch.autocast(nocs.device.type, enabled=False):
            fake = nocs.detach().float().requires_grad_()
            scores = self.scores(fake, real, mask)
            discriminator, generator = self.kind(*scores)
            (push,) = torch.autograd.grad(generator, fake, retain_graph=True)
        (own,) = torch.autograd.grad(coordinate_loss, nocs, retain_graph=True)
        pull_norm, push_norm = ranks.norm(own.float()), ranks.norm(push)
        weight = coordinate_weight * self._weigh(pull_norm, push_norm)
        surrogate = (weight * push * (nocs.float() - fake.detach())).sum()
        logged = {
            "gan/real": scores[0].detach().mean(),
            "gan/fake": scores[1].detach().mean(),
            "gan/discriminator": discriminator.detach(),
            "gan/generator": generator.detach(),
            "gan/weight": weight,
            "gan/push": push_norm,
            "gan/pull": pull_norm,
        }
        return Duel(weight * generator.detach(), surrogate, discriminator, logged)

    def scores(self, nocs: Tensor, real: Tensor, mask: Tensor) -> tuple[Scores, Scores]:
        """What the discriminator says of true and of predicted coordinates; arguments as in `forward`."""
        seen = mask[:, None].float()
        return real_and_fake(self.discriminator, seen * (2 * real.float() - 1), seen * (2 * nocs - 1))

    @torch.no_grad()
    def _weigh(self, own: Tensor, push: Tensor) -> Tensor:
        """Weight of the generator's loss beside an unweighted one of the coordinates.

        Running norms come from the batches before this one.
        """
        if self.share is None:
            return self.norms.new_tensor(self.weight)
        now = torch.stack([own, push])
        before = torch.where(self.norms.sum() > 0, self.norms, now)
        weight = self.share * before[0] / before[1].clamp(min=1e-12)
        self.norms.copy_(MOMENTUM * before + (1 - MOMENTUM) * now)
        return weight
