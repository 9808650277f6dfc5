"""A sample in a mirror: its pixels, its camera, the person and the object that it shows.

The camera's axes stay as they are, so the scene is reflected at x = 0, and left and right of the person
change places. An object's mirror image is a pose of its template where that is its own mirror image.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from rhobin.body.joints import MIRROR24, MIRROR29, SMPLH_MIRROR
from rhobin.data.augment.repaint import Painted
from rhobin.objects.mirror_plane import MirrorPlane, mirror_plane
from rhobin.objects.template import Template

log = logging.getLogger(__name__)

ACROSS = np.array([-1.0, 1.0, 1.0])
_TWISTS = [joint - 1 for joint in MIRROR24[1:]]


def mirror_planes(templates: Mapping[int, Template], shown: Iterable[int]) -> dict[int, MirrorPlane]:
    """The reflections that keep objects, by object id; no entry for one that is not its own mirror image.

    Args:
        templates: by object id.
        shown: ids of the objects that are wanted.
    """
    found = {object_id: mirror_plane(templates[object_id]) for object_id in shown}
    if others := [templates[object_id].name for object_id, plane in found.items() if plane is None]:
        log.info("views of these objects, whose mirror images are other shapes, are not mirrored: %s",
                 ", ".join(others))  # fmt: skip
    return {object_id: plane for object_id, plane in found.items() if plane is not None}


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


def mirror_object(R: np.ndarray, t: np.ndarray, plane: MirrorPlane) -> tuple[np.ndarray, np.ndarray]:
    """Pose of the mirror image of an object that is its own mirror image.

    Args:
        R: (3, 3) rotation, template to camera.
        t: (3,) translation, metres.
        plane: the reflection that keeps the template.

    Returns:
        Rotation (3, 3) and translation (3,) under which the template covers what the mirror shows.
    """
    return ACROSS[:, None] * R @ plane.S, ACROSS * (R @ plane.s + t)
