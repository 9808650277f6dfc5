"""What a network drew of a batch, for pictures beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rhobin.types.drawn import CentreMaps, ObjectMaps
from rhobin.types.target import Target


@dataclass
class Drawing:
    """Maps of a batch as its network drew them, and as they should be.

    Attributes:
        target: the truth, told in the frames that the network's output is compared in.
        maps: the object's surface, where the network draws it.
        centre: the person's centre, where the network draws it.
        real_score: (B,) what a discriminator says of the true coordinates inside the true amodal mask,
            higher is more real; None without one.
        drawn_score: (B,) the same of the drawn coordinates inside that mask.
    """

    target: Target
    maps: ObjectMaps | None = None
    centre: CentreMaps | None = None
    real_score: Tensor | None = None
    drawn_score: Tensor | None = None
