"""A sample in a mirror: its pixels, its camera, and the person whom it shows.

The camera's axes stay as they are, so the scene is reflected at x = 0, and left and right of the person
change places. An object's mirror image has no pose of its template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rhobin.body.joints import MIRROR24, MIRROR29, SMPLH_MIRROR
from rhobin.data.augment.repaint import Painted

ACROSS = np.array([-1.0, 1.0, 1.0])
_TWISTS = [joint - 1 for joint in MIRROR24[1:]]


def mirror_pixels(painted: Painted) -> Painted:
    """A sample's pixels from right to left."""
    color, person, obj = (
        np.ascontiguousarray(plane[:, ::-1]) for plane in (painted.color, painted.person, painted.obj)
    )
    return replace(painted, color=color, person=person, obj=obj)


def mirror_intrinsics(K: np.ndarray, width: int) -> np.ndarray:
    """Intrinsics (3, 3) of a mirrored image of `width` pixels, for a scene reflected at x = 0."""
    pixels = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    return pixels @ K * ACROSS


def mirror_person(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Members of `HumanTarget` of the mirror image.

    The shape stays: a body whose template is not symmetric has no exact mirror image. Its joints are mirrored
    exactly, and its rotations as well as its asymmetry allows.

    Args:
        values: `theta` (52, 3, 3), `beta` (10,), `trans` (3,), `joints` (29, 3), `twist` (23, 2) and
            `twist_weight` (23,), metres.
    """
    pelvis = values["joints"][0] - values["trans"]
    joints = values["joints"][list(MIRROR29)] * ACROSS
    return {
        "theta": ACROSS[:, None] * values["theta"][list(SMPLH_MIRROR)] * ACROSS,
        "beta": values["beta"],
        "trans": joints[0] - pelvis,
        "joints": joints,
        "twist": values["twist"][_TWISTS] * (1, -1),
        "twist_weight": values["twist_weight"][_TWISTS],
    }
