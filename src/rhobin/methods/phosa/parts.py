"""Which parts of a body touch which objects, and which vertices a part has (decision 0175).

PHOSA's own maps are of COCO's classes and of hand-made vertex lists; these are ours.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rhobin.body.bodyset import BodySet

JOINTS = {
    "left_hand": (20, *range(22, 37)),
    "right_hand": (21, *range(37, 52)),
    "left_foot": (7, 10),
    "right_foot": (8, 11),
    "seat": (0, 1, 2),
    "back": (6, 9),
}
"""SMPL-H joints whose vertices a part has: those that no other joint moves more."""

HANDS, FEET = ("left_hand", "right_hand"), ("left_foot", "right_foot")
TOUCHING = {
    "backpack": (*HANDS, "back"),
    "basketball": (*HANDS, *FEET),
    "boxlarge": (*HANDS, "seat"),
    "boxlong": (*HANDS, *FEET),
    "chairblack": (*HANDS, "seat", "back"),
    "chairwood": (*HANDS, "seat", "back"),
    "stool": (*HANDS, "seat"),
    "yogaball": (*HANDS, "seat"),
    "yogamat": (*HANDS, *FEET),
}
"""Parts that touch an object, by its name; any other object is touched by the hands."""


def touching(name: str) -> tuple[str, ...]:
    """The parts of a body that touch an object."""
    return TOUCHING.get(name, HANDS)


def part_vertices(bodies: BodySet) -> dict[str, Tensor]:
    """Vertices of each part, from the skinning weights of the set's first model: all have one topology.

    Raises:
        ValueError: the bodies have other joints than SMPL-H.
    """
    model = next(iter(bodies))
    if model.n_joints != 52:
        raise ValueError(
            f"expected bodies of 52 joints (SMPL-H), found {model.n_joints}; choose others with data.body"
        )
    leading = np.asarray(model.skin.matrix().argmax(axis=1)).ravel()
    return {name: torch.from_numpy(np.flatnonzero(np.isin(leading, ids))) for name, ids in JOINTS.items()}
