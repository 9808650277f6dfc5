"""Where the crops of a sample look, once its augmentation is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rhobin.data.augment.draw import Augmentation, roll_about
from rhobin.data.images.outline import DecodedView, Outline
from rhobin.geometry.camera import crop_matrix


@dataclass(frozen=True)
class Aim:
    """Where one crop looks.

    Attributes:
        K: (3, 3) intrinsics of the crop, of the camera after its roll.
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
) -> tuple[np.ndarray, list[Aim]]:
    """Aim all crops of a sample with one roll of the camera.

    The camera rolls about the ray through the first crop's centre. Every other crop keeps the square that its
    own masks gave it, about where the roll has moved the square's middle.

    Args:
        K: (3, 3) intrinsics of the full image.
        outlines: the view as each crop sees it.
        centre: (2,) of the first crop in the full image, after it was moved.
        change: roll, and the factor on every crop's side.
        sizes: width of each crop, pixels.

    Returns:
        The roll Q (3, 3), X' = Q X, and where each crop looks.
    """
    Q = roll_about(centre, K, change.roll)
    back = np.linalg.inv(K)
    aims = []
    for number, (outline, size) in enumerate(zip(outlines, sizes, strict=True)):
        middle = centre if number == 0 else _moved(outline.centre, K @ Q @ back)
        K_crop = crop_matrix(middle, outline.side * change.scale, size) @ K
        aims.append(Aim(K_crop, K_crop @ Q @ back))
    return Q, aims


def _moved(pixel: np.ndarray, homography: np.ndarray) -> np.ndarray:
    x, y, depth = homography @ [*pixel, 1.0]
    return np.array([x / depth, y / depth])
