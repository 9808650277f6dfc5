"""Skeletons drawn over photographs: bones of joints in the camera's frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from rhobin.body.joints import PARENTS29, SMPL_PARENTS
from rhobin.geometry.camera import project
from rhobin.reports.overlay import NEAR, SUPERSAMPLE, Window
from rhobin.reports.palette import RGB

PARENTS = {24: SMPL_PARENTS, 29: PARENTS29}
DARK: RGB = (20, 24, 28)
_FINE = 3
"""Binary digits of a pixel that OpenCV draws to."""


@dataclass(frozen=True)
class Skeleton:
    """Joints and the colour of their bones.

    Attributes:
        joints: (24, 3) of SMPL or (29, 3) of HybrIK in the camera's frame, metres.
        color: RGB.
    """

    joints: Float[np.ndarray, "J 3"]
    color: RGB


def draw_skeletons(
    shown: UInt8[np.ndarray, "h w 3"], skeletons: Sequence[Skeleton], K: np.ndarray, window: Window
) -> UInt8[np.ndarray, "h w 3"]:
    """Bones on a part of an image, the later skeletons above; bones behind the camera are left out.

    Args:
        shown: (size, size, 3) RGB, as `Window.cut` returns it.
        skeletons: to draw.
        K: (3, 3) intrinsics of the whole image.
        window: the part that is shown.

    Returns:
        A copy with bones.
    """
    size = window.size * SUPERSAMPLE
    large = cv2.resize(shown, (size, size), interpolation=cv2.INTER_CUBIC)
    width = max(2, round(size / 180))
    for skeleton in skeletons:
        bones = _bones(skeleton, window.intrinsics(K, SUPERSAMPLE))
        for color, thick in ((DARK, 2 * width), (skeleton.color, width)):
            for start, end in bones:
                cv2.line(large, start, end, color, thick, cv2.LINE_AA, _FINE)
            for _, end in bones:
                cv2.circle(large, end, round(1.2 * thick) << _FINE, color, -1, cv2.LINE_AA, _FINE)
    return cv2.resize(large, shown.shape[1::-1], interpolation=cv2.INTER_AREA)


def _bones(skeleton: Skeleton, K: np.ndarray) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Ends of the bones in fractions of pixels, as OpenCV takes them."""
    joints = skeleton.joints
    ahead = joints[:, 2] > NEAR
    pixels = np.asarray(project(np.where(ahead[:, None], joints, [0, 0, 1]), K))
    at = np.round(np.clip(pixels, -1e5, 1e5) * 2**_FINE).astype(int).tolist()
    pairs = ((parent, joint) for joint, parent in enumerate(PARENTS[len(joints)]) if parent >= 0)
    return [(tuple(at[a]), tuple(at[b])) for a, b in pairs if ahead[a] and ahead[b]]
