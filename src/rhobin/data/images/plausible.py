"""Whether an image can be its camera's, and masks those of what the ground truth puts there."""

from __future__ import annotations

import numpy as np

from rhobin.geometry.camera import project
from rhobin.types import Camera

SURE = 0.6  # by how much exchanged masks must fit better than given ones, of 2 in all
SAME_SHAPE = 0.02  # between aspect ratios; resizing rounds to whole pixels
_NEAR = 0.05  # metres; points nearer to the camera are left out


def shape_fault(size: tuple[int, int], camera: Camera) -> str | None:
    """What is wrong with the width and height of a camera's image: it may be resized, and keeps its shape."""
    width, height = size
    if abs(width * camera.height / (height * camera.width) - 1) <= SAME_SHAPE:
        return None
    return (
        f"the image is {width}x{height}, its camera takes {camera.width}x{camera.height}; expected the same "
        "aspect ratio: it was cropped, padded or turned"
    )


def inside_share(box: np.ndarray, points: np.ndarray, K: np.ndarray) -> float:
    """How much of a mask's box lies inside the box of what was fitted.

    What hides a part makes a mask smaller, and leaves it inside.

    Args:
        box: (4,) x, y, width, height of the mask, pixels, not empty.
        points: (N, 3) points spread over what was fitted, camera frame, metres.
        K: (3, 3) intrinsics of the image.

    Returns:
        0 to 1; NaN where too few points lie in front of the camera.
    """
    low, high = np.split(_box(points, K), 2)
    sides = np.minimum(high, box[:2] + box[2:]) - np.maximum(low, box[:2])
    return float(np.prod(np.maximum(sides, 0)) / np.prod(box[2:]))


def mask_fault(boxes: np.ndarray, person: np.ndarray, obj: np.ndarray, K: np.ndarray) -> str | None:
    """What is wrong with a view's masks, judged by their boxes and only where there is no doubt.

    Args:
        boxes: (2, 4) x, y, width, height of the person mask and of the object mask, pixels; 0 for an empty
            one.
        person: (J, 3) points spread over the person, camera frame, metres.
        obj: (P, 3) points spread over the object.
        K: (3, 3) intrinsics of the image.

    Returns:
        Words for it, or None: masks may hide behind each other and end at the image's border.
    """
    expected = [_box(points, K) for points in (person, obj)]
    masks = [np.array([x, y, x + w, y + h]) for x, y, w, h in boxes]
    fit = np.array([[_iou(mask, box) for box in expected] for mask in masks])
    if fit[0, 1] + fit[1, 0] > fit[0, 0] + fit[1, 1] + SURE:
        return "person mask and object mask are exchanged"
    if boxes.any() and not fit.any():
        return "neither mask is near what was fitted: they are of another image"
    return None


def _box(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom of points' pixels; NaN where too few lie in front of the camera."""
    points = points[points[:, 2] > _NEAR]
    if len(points) < 4:
        return np.full(4, np.nan)
    pixels = np.asarray(project(points.astype(np.float64), K))
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes, 0 for boxes of NaN."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if not (width > 0 and height > 0):
        return 0.0
    areas = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])
    return float(width * height / (areas - width * height))
