"""Parameters that no camera can have seen: out of its sight, of no human shape, or turned beyond a turn."""

from __future__ import annotations

import numpy as np

from rhobin.geometry.camera import world_to_camera
from rhobin.types import Camera

FARTHEST = 20.0  # metres; BEHAVE's and InterCap's rooms are smaller
LARGEST_BETA = 20.0  # shapes of BEHAVE stay below 6
LARGEST_TURN = 2 * np.pi  # radians of a rotation vector, which needs no more than half of it
_BETAS = slice(156, 166)
_TURNS = {"person": slice(0, 156), "object": slice(169, 172)}
_PLACES = {"person": slice(166, 169), "object": slice(172, 175)}


def placement_fault(parameters: np.ndarray, camera: Camera, has_body: bool, has_object: bool) -> str | None:
    """Why a camera cannot have seen a frame, or None.

    Args:
        parameters: (175,) pose, betas, trans, object angle, object trans, in the world; SMPL's translation is
            within a few decimetres of the pelvis. An object of NaN is not known, and cannot be at fault.
        camera: what is said to have seen it.
        has_body: whether there is a person.
        has_object: whether there is an object.
    """
    if has_body and (largest := float(np.abs(parameters[_BETAS]).max())) > LARGEST_BETA:
        return f"a shape coefficient of {largest:.4g}"
    for what, there in (("object", has_object), ("person", has_body)):
        if there and not np.isnan(parameters[_PLACES[what]]).all():
            fault = _fault(what, parameters, camera)
            if fault is not None:
                return fault
    return None


def _fault(what: str, parameters: np.ndarray, camera: Camera) -> str | None:
    place = parameters[_PLACES[what]]
    if (reach := float(np.abs(place).max())) > 3 * FARTHEST:  # from any camera, whose place is checked
        return f"the {what} is {reach:.4g} m away"
    x, y, z = world_to_camera(place, camera).tolist()
    if z <= 0:
        return f"the {what} is {-z:.1f} m behind the camera"
    if max(abs(x), abs(y), z) > FARTHEST:
        return f"the {what} is {max(abs(x), abs(y), z):.0f} m away"
    with np.errstate(over="ignore"):
        turn = float(np.linalg.norm(parameters[_TURNS[what]].reshape(-1, 3), axis=1).max())
    if turn > LARGEST_TURN:
        return f"a rotation of the {what} by {turn:.4g} radians, more than a turn: is it in degrees?"
    return None
