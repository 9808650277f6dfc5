"""One training sample as a picture, with its masks and targets drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from rhobin.body.joints import PARENTS29
from rhobin.geometry.backend import rasterise
from rhobin.objects.template import Template
from rhobin.reports.palette import RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.types import Heatmaps, ObjectTarget, Sample

MASK_BODY: RGB = (255, 255, 255)
MASK_OBJECT: RGB = (255, 112, 196)
MASK_COLORS = {"person": MASK_BODY, "object": MASK_OBJECT}
MARGIN = 0.1  # of the picture, so that points outside the crop can be seen


def draw_sample(
    sample: Sample,
    template: Template | None,
    size: int,
    planes: Sequence[str] = ("color", "person", "object"),
) -> np.ndarray:
    """A sample's image with masks' outlines, skeleton, template outline and keypoints.

    Args:
        sample: with its targets.
        template: of its object; None where it shows none.
        size: width of the picture, pixels; the crop takes the middle, without a margin of `MARGIN`.
        planes: what the planes of the sample's image are.

    Returns:
        (size, size, 3) RGB uint8.
    """
    margin = round(MARGIN * size)
    inner = size - 2 * margin
    canvas = np.full((size, size, 3), 46, np.uint8)
    canvas[margin:-margin, margin:-margin] = cv2.resize(
        image_of(sample), (inner, inner), interpolation=cv2.INTER_CUBIC
    )
    for plane, name in enumerate(planes[1:], start=3):
        mask = cv2.resize(sample.image[plane].numpy(), (inner, inner), interpolation=cv2.INTER_LINEAR)
        _contour(canvas, np.pad(mask, margin) > 127, MASK_COLORS[name])
    _draw_target(canvas, sample, template, margin, inner / sample.image.shape[2])
    return canvas


def _draw_target(
    canvas: np.ndarray, sample: Sample, template: Template | None, margin: int, scale: float
) -> None:
    """Skeleton, template outline and keypoints of the parts that a sample shows."""
    human, obj, heatmaps = sample.target.human, sample.target.object, sample.target.heatmaps or Heatmaps()
    to_picture = np.diag([scale, scale, 1])
    to_picture[:2, 2] = margin + (scale - 1) / 2
    K = to_picture @ sample.K_crop.double().numpy()
    if obj is not None and template is not None:
        _contour(canvas, _template_mask(obj, template, K, len(canvas)), TARGET_OBJECT)
    if human is not None:
        joints = _places(human.joints, K)
        for joint, parent in enumerate(PARENTS29):
            if parent >= 0:
                _line(canvas, joints[joint], joints[parent], TARGET_BODY)
        _dots(canvas, joints, heatmaps.joints_weight, TARGET_BODY)
    if obj is not None:
        _dots(canvas, _places(obj.kpts, K), heatmaps.kpts_weight, TARGET_OBJECT)


def _places(points: Tensor, K: np.ndarray) -> np.ndarray:
    """Where points (N, 3) are on the picture; those behind the camera far outside of it."""
    pixels = points.double().numpy() @ K.T
    return pixels[:, :2] / np.maximum(pixels[:, 2:], 1e-3)


def image_of(sample: Sample) -> np.ndarray:
    """The picture in a network's input, (H, W, 3) RGB uint8."""
    return np.ascontiguousarray(sample.image[:3].numpy().transpose(1, 2, 0))


def _template_mask(pose: ObjectTarget, template: Template, K: np.ndarray, size: int) -> np.ndarray:
    """Where the template projects to, seen through everything, on the picture with its margin."""
    verts = template.verts @ pose.R.double().numpy().T + pose.t.double().numpy()
    return rasterise([(verts, template.faces)], K, size, size).geom_id.reshape(size, size) >= 0


def _contour(canvas: np.ndarray, mask: np.ndarray, color: RGB) -> None:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, color, 1, cv2.LINE_AA)


def _line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, color: RGB) -> None:
    if np.abs([start, end]).max() < 1e4:
        cv2.line(canvas, _subpixel(start), _subpixel(end), color, 1, cv2.LINE_AA, shift=4)


def _dots(canvas: np.ndarray, points: np.ndarray, weight: Tensor | None, color: RGB) -> None:
    """Points; hollow where their weight is 0."""
    counted = np.ones(len(points)) if weight is None else weight.numpy()
    for point, counts in zip(points, counted, strict=True):
        if np.abs(point).max() < 1e4:
            radius, thickness = (40, -1) if counts else (58, 1)
            cv2.circle(canvas, _subpixel(point), radius, color, thickness, cv2.LINE_AA, shift=4)


def _subpixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0]) * 16), round(float(point[1]) * 16)
