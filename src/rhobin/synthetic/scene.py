"""What one generated moment holds: a posed person, an object, and how well they touch.

The room frame: y up, the floor at y = 0, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ContactReport:
    """How a frame's contact was measured, in millimetres.

    Attributes:
        contacts: names of the declared contacts, e.g. ``("left hand", "right hand")``.
        depth_mm: deepest body point inside the object.
        gap_mm: largest distance between a declared contact's body part and the object.
        self_mm: deepest arm or leg point inside another part of the body.
        floor_mm: height of the body's lowest point over the floor.
        tries: how many candidates were drawn for this frame.
    """

    contacts: tuple[str, ...]
    depth_mm: float
    gap_mm: float
    self_mm: float
    floor_mm: float
    tries: int


@dataclass(frozen=True)
class SceneFrame:
    """One moment of a sequence, in the room frame.

    Attributes:
        index: position in the sequence.
        kind: the interaction, e.g. ``"carry"``.
        gender: a member of `rhobin.types.GENDERS`.
        pose: (156,) SMPL-H axis-angle, hands absolute (not relative to the mean hand).
        betas: (10,) shape coefficients.
        trans: (3,) SMPL translation, metres.
        object_name: one of the 20 BEHAVE names.
        obj_R: (3, 3) object rotation, template to room.
        obj_t: (3,) object translation, metres.
        report: contact measurements.
    """

    index: int
    kind: str
    gender: str
    pose: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    object_name: str
    obj_R: np.ndarray
    obj_t: np.ndarray
    report: ContactReport
