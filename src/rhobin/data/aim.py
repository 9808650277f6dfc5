"""Where the crops of a sample look, once its augmentation is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rhobin.data.augment.draw import Augmentation, roll_about
from rhobin.data.images.framing import map_pixels
from rhobin.data.images.outline import DecodedView, Outline
from rhobin.geometry.camera import crop_matrix, look_along


@dataclass(frozen=True)
class Aim:
    """Where one crop looks.

    Attributes:
        K: (3, 3) intrinsics of the crop, of the camera after its rotation.
        from_image: (3, 3) map from pixels of the full image to pixels of the crop.
    """

    K: np.ndarray
    from_image: np.ndarray


def aim_crops(
    K: np.ndarray,
    outlines: Sequence[Outline | DecodedView],
    centre: np.ndarray,
    change: Augmentation,
    sizes: Sequence[int],
    turned: bool = False,
) -> tuple[np.ndarray, list[Aim]]:
    """Aim all crops of a sample with one rotation of the camera.

    The camera rolls about the ray through the first crop's centre. Every other crop keeps the square that its
    own masks gave it, about where the rotation has moved the square's middle.

    Args:
        K: (3, 3) intrinsics of the full image.
        outlines: the view as each crop sees it.
        centre: (2,) of the first crop in the full image, after it was moved.
        change: roll, and the factor on every crop's side.
        sizes: width of each crop, pixels.
        turned: after its roll, the camera turns until it looks along that ray.

    Returns:
        The rotation Q (3, 3), X' = Q X, and where each crop looks.
    """
    Q = roll_about(centre, K, change.roll)
    if turned:
        Q = look_along(centre, K) @ Q
    back = np.linalg.inv(K)
    aims = []
    for number, (outline, size) in enumerate(zip(outlines, sizes, strict=True)):
        middle = outline.centre if number else centre
        if number or turned:
            middle = map_pixels(middle, K @ Q @ back)
        K_crop = crop_matrix(middle, outline.side * change.scale, size) @ K
        aims.append(Aim(K_crop, K_crop @ Q @ back))
    return Q, aims


def crop_window(box: np.ndarray, aim: Aim, size: int, K: np.ndarray, frame_width: float) -> Tensor:
    """A sample's `window` (3,): the box that its first crop was cut about, and the crop's side.

    Args:
        box: (2,) width and height, pixels, see `Framing`.
        aim: where the crop looks.
        size: width of the crop, pixels.
        K: (3, 3) intrinsics of the full image.
        frame_width: pixels across the whole frame of the camera.

    Returns:
        Width and height of the box and side of the crop, in widths of the frame.
    """
    zoom = aim.K[0, 0] / K[0, 0]
    sides = np.array([*box, size / zoom], np.float32)
    return torch.from_numpy(sides / np.float32(frame_width))
