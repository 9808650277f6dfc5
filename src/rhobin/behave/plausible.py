"""Parameters that no camera can have seen: a body or an object behind it, far away, or of no human shape."""

from __future__ import annotations

import numpy as np

from rhobin.geometry.camera import world_to_camera
from rhobin.types import Camera

FARTHEST = 20.0  # metres; BEHAVE's and InterCap's rooms are smaller
LARGEST_BETA = 20.0  # shapes of BEHAVE stay below 6
_BETAS, _PERSON, _OBJECT = slice(156, 166), slice(166, 169), slice(172, 175)


def placement_fault(parameters: np.ndarray, camera: Camera, has_body: bool, has_object: bool) -> str | None:
    """Why a camera cannot have seen a frame, or None.

    Args:
        parameters: (175,) pose, betas, trans, object angle, object trans, in the world; SMPL's translation is
            within a few decimetres of the pelvis.
        camera: what is said to have seen it.
        has_body: whether there is a person.
        has_object: whether there is an object.
    """
    places = {"object": parameters[_OBJECT]} if has_object else {}
    if has_body:
        places["person"] = parameters[_PERSON]
        largest = float(np.abs(parameters[_BETAS]).max())
        if largest > LARGEST_BETA:
            return f"a shape coefficient of {largest:.0f}"
    for what, place in places.items():
        x, y, z = world_to_camera(place, camera).tolist()
        if z <= 0:
            return f"the {what} is {-z:.1f} m behind the camera"
        if max(abs(x), abs(y), z) > FARTHEST:
            return f"the {what} is {max(abs(x), abs(y), z):.0f} m away"
    return None
