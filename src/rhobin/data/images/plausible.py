"""Whether masks can be those of the person and of the object that the ground truth puts there."""

from __future__ import annotations

import numpy as np

from rhobin.geometry.camera import project

SURE = 0.6  # by how much exchanged masks must fit better than given ones, of 2 in all
_NEAR = 0.05  # metres; points nearer to the camera are left out


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
