"""Which points of a camera's frame lie where its image shows the person."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from rhobin.behave.release import Release
from rhobin.data.images.crops import EMPTY_MASK
from rhobin.data.images.decode import BadSampleError, read_mask
from rhobin.data.prepare.prepared import PreparedRelease
from rhobin.geometry.camera import project
from rhobin.geometry.distortion import project_distorted

NEAR = 1 / 500
"""How far beside the mask a point may lie, in image widths: 4 pixels of 2048; never less than one pixel."""


def on_person(
    release: Release, view: int, points: Float[np.ndarray, "N 3"], near: float = NEAR
) -> Bool[np.ndarray, " N"]:
    """Which points lie on the mask of what is seen of the person, or as good as.

    Args:
        release: with the view, prepared or not.
        view: its row.
        points: metres, frame of the view's camera.
        near: image widths beside the mask that still count.

    Returns:
        True where the pixel of a point has a mask pixel so near; False beyond the image's border and
        behind the camera.

    Raises:
        BadSampleError: there is no mask of a person, or its file cannot be used.
    """
    mask, corner, size = _person_mask(release, view)
    K, lens = release.intrinsics(view, size), release.cameras[release.views.camera[view]].distortion
    ahead = points[:, 2] > 0
    shown = np.where(ahead[:, None], points, [0.0, 0.0, 1.0])
    pixels = project(shown, K) if lens is None else project_distorted(shown, K, lens)
    return ahead & near_mask(mask, np.asarray(pixels) - corner, max(near * size[0], 1.0))


def near_mask(
    mask: Bool[np.ndarray, "h w"], pixels: Float[np.ndarray, "N 2"], distance: float
) -> Bool[np.ndarray, " N"]:
    """Whether a mask has a pixel whose centre is at most so far from each of some points, all in pixels."""
    reach = int(np.ceil(distance))
    step = np.arange(-reach, reach + 1)
    steps = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    beside = np.round(pixels).astype(int)[:, None] + steps
    height, width = mask.shape
    inside = np.all((beside >= 0) & (beside < (width, height)), axis=-1)
    close = np.linalg.norm(beside - pixels[:, None], axis=-1) <= distance
    x, y = np.where(inside[..., None], beside, 0).transpose(2, 0, 1)
    return np.any(mask[y, x] & inside & close, axis=1) if mask.size else np.zeros(len(pixels), bool)


def _person_mask(release: Release, view: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """What lies inside the box of the person's mask, the box's corner, and width and height of the image."""
    if isinstance(release, PreparedRelease):
        source = release.source(view)
        part, box, size = source.masks[0], source.boxes[0], source.size
    else:
        file = release.view_files(view)[1]
        if file is None:
            raise BadSampleError(release.view_files(view)[0], EMPTY_MASK[0], "has no mask of the person")
        part, box, size = read_mask(file)
    return part > 0, box[:2], size
