"""CHORE's network: fields over space, read from the maps of one image (paper sec. 3.1, 3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.body.surface_points import PARTS
from rhobin.geometry.rotation import project_to_so3
from rhobin.methods.chore.space import Space
from rhobin.nets.pixels import PixelMaps
from rhobin.types import HumanTarget

OUTSIDE = 5.0  # metres; released code: the distance that is told of points which the crop does not show
HEADS = {"distance": (2,), "part": (len(PARTS),), "axes": (3, 3), "centre": (2, 3)}
"""What the fields say of each point, in the scaled space, by the name of the head; points come last.

`distance` (B, 2, N) to the surface of person and object, metres; `part` (B, 14, N) logits of the
body's part that is nearest; `axes` (B, 3, 3, N) of the object, one a row; `centre` (B, 2, 3, N) the pelvis
from the middle of its plane, and the object's centre from the pelvis, metres.
"""

Values = dict[str, Tensor]


class MeanBody(nn.Module):
    """Mean pose and shape of the bodies that a training has shown: where a fit can start from nothing.

    Attributes:
        theta: (52, 3, 3) mean of the local rotations, not yet rotations; the root's does not count.
        beta: (10,) mean shape.
        seen: number of bodies.
    """

    theta: Tensor
    beta: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("theta", torch.eye(3).repeat(52, 1, 1))
        self.register_buffer("beta", torch.zeros(10))
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def add(self, human: HumanTarget) -> None:
        """Count a batch's bodies in."""
        self.seen += len(human.theta)
        share = len(human.theta) / self.seen
        self.theta += (human.theta.mean(0) - self.theta) * share
        self.beta += (human.beta.mean(0) - self.beta) * share

    def pose(self) -> Float[Tensor, "52 3 3"]:
        """The rotations nearest to the means."""
        return project_to_so3(self.theta)


class ChoreNet(nn.Module):
    """Maps of an image, and four small networks that read them at points.

    Args:
        pixels: makes `PixelMaps` of (B, P, H, W); tells `grid_channels` and `fine_channels`.
        hidden: width of the three hidden layers of each head.

    Attributes:
        heads: by name; what each says: `HEADS`.
        mean: of the bodies seen in training.
    """

    def __init__(self, pixels: Any, hidden: int = 128) -> None:
        super().__init__()
        self.pixels, self.mean = pixels, MeanBody()
        inputs = pixels.grid_channels + 3 + pixels.fine_channels
        self.heads = nn.ModuleDict({n: head(inputs, hidden, math.prod(shape)) for n, shape in HEADS.items()})

    @property
    def asked(self) -> nn.Module:
        """What a query runs once: whoever counts evaluations hooks it."""
        return self.heads["distance"]

    def forward(self, image: Float[Tensor, "B P H W"]) -> PixelMaps:
        """The maps that `query` reads, of a batch of crops: RGB and both masks, normalised."""
        return self.pixels(image)

    def query(
        self,
        maps: PixelMaps,
        points: Float[Tensor, "B N 3"],
        space: Space,
        names: Sequence[str] = tuple(HEADS),
    ) -> list[Values]:
        """What the fields say at points: one evaluation of the heads.

        Args:
            maps: of the images.
            points: scaled, frame of the crops' camera, metres.
            space: of the crops.
            names: heads to ask.

        Returns:
            Values for each stage that predicts, the best one last; in evaluation mode that one alone.
        """
        grid = space.grid(points)
        outside = (grid.abs() > 1).any(-1)[:, None]
        place = points.mT - F.pad(space.depth[:, None], (2, 0))[..., None]
        fine = read_map(maps.fine, grid)
        found = []
        for stack in maps.stacks if self.training else maps.stacks[-1:]:
            features = torch.cat((read_map(stack, grid), place, fine), 1)
            values = {name: self.heads[name](features).unflatten(1, HEADS[name]) for name in names}
            if "distance" in values:
                values["distance"] = values["distance"].masked_fill(outside, OUTSIDE)
            found.append(values)
        return found


def head(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Three hidden layers with ReLU, at each point alone."""
    widths = (inputs, hidden, hidden, hidden)
    layers = [part for i, o in pairwise(widths) for part in (nn.Conv1d(i, o, 1), nn.ReLU())]
    return nn.Sequential(*layers, nn.Conv1d(hidden, outputs, 1))


def read_map(values: Float[Tensor, "B C h w"], grid: Float[Tensor, "B N 2"]) -> Float[Tensor, "B C N"]:
    """A map's values at places of the crop, whose edges are at -1 and 1; beyond them those of the edge."""
    read = F.grid_sample(values, grid[:, :, None], padding_mode="border", align_corners=False)
    return read.squeeze(-1)
