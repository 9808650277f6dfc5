"""A training sample as a picture, with its targets drawn in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from torch import Tensor

from rhobin.body.joints import PARENTS29
from rhobin.geometry.camera import project
from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.objects.template import Template
from rhobin.reports.palette import RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.types import Heatmaps, Sample, required

MASKS: Mapping[str, RGB] = {"person": (255, 255, 255), "object": (255, 112, 196)}
"""Colours of the masks' outlines, by the plane of the image."""

MARGIN = 0.1
"""Of the picture, so that points outside the crop can be seen."""

Points = tuple[np.ndarray, np.ndarray] | None
"""Pixels (N, 2) of the picture and weights (N,) of points to draw."""


def draw_sample(
    sample: Sample, template: Template | None, size: int, masks: Sequence[str] = tuple(MASKS)
) -> np.ndarray:
    """A sample's image with what its targets say: masks' outlines, skeleton, template outline and keypoints.

    Args:
        sample: with its targets; a part that it does not show is not drawn.
        template: of its object; None where it shows none.
        size: width of the picture, pixels; the crop takes the middle, without a margin of `MARGIN`.
        masks: what the planes after the colour show, of `MASKS`.

    Returns:
        (size, size, 3) RGB uint8.
    """
    margin = round(MARGIN * size)
    inner = size - 2 * margin
    canvas = np.full((size, size, 3), 46, np.uint8)
    canvas[margin:-margin, margin:-margin] = cv2.resize(
        image_of(sample), (inner, inner), interpolation=cv2.INTER_CUBIC
    )
    for plane, name in zip(sample.image[3:], masks, strict=True):
        mask = cv2.resize(plane.numpy(), (inner, inner), interpolation=cv2.INTER_LINEAR)
        _contour(canvas, np.pad(mask, margin) > 127, MASKS[name])
    scale = inner / sample.image.shape[2]
    to_picture = np.array(
        [[scale, 0, margin + (scale - 1) / 2], [0, scale, margin + (scale - 1) / 2], [0, 0, 1]]
    )
    if sample.target.object is not None and template is not None:
        _contour(canvas, _template_mask(sample, template, size, to_picture), TARGET_OBJECT)
    joints, kpts = _drawn_points(sample, to_picture)
    if joints is not None:
        for joint, parent in enumerate(PARENTS29):
            if parent >= 0:
                _line(canvas, joints[0][joint], joints[0][parent], TARGET_BODY)
        _dots(canvas, *joints, TARGET_BODY)
    if kpts is not None:
        _dots(canvas, *kpts, TARGET_OBJECT)
    return canvas


def _drawn_points(sample: Sample, to_picture: np.ndarray) -> tuple[Points, Points]:
    """Joints and keypoints: as heatmaps show them where there are heatmaps, else projected."""
    target, drawn = sample.target, sample.target.heatmaps or Heatmaps()
    parts = (
        (target.human.joints if target.human else None, drawn.joints_uvd, drawn.joints_weight),
        (target.object.kpts if target.object else None, drawn.kpts_uvd, drawn.kpts_weight),
    )
    found = [_on_picture(sample, *part, to_picture) for part in parts]
    return found[0], found[1]


def _on_picture(
    sample: Sample, points: Tensor | None, uvd: Tensor | None, weight: Tensor | None, to_picture: np.ndarray
) -> Points:
    """Points where a heatmap has them; without one, where they project to."""
    if points is None:
        return None
    if uvd is not None and weight is not None:
        pixels, weights = (uvd.numpy()[:, :2] + 0.5) * sample.image.shape[2], weight.numpy()
    else:
        pixels = np.asarray(project(points.double(), sample.K_crop.double()))
        weights = np.ones(len(pixels))
    return pixels * to_picture[0, 0] + to_picture[:2, 2], weights


def image_of(sample: Sample) -> np.ndarray:
    """The picture in a network's input, (H, W, 3) RGB uint8."""
    return np.ascontiguousarray(sample.image[:3].numpy().transpose(1, 2, 0))


def _template_mask(sample: Sample, template: Template, size: int, to_picture: np.ndarray) -> np.ndarray:
    """Where the template projects to, seen through everything, on the picture with its margin."""
    K = to_picture @ sample.K_crop.double().numpy()
    pose = required(sample.target.object, "the true object")
    verts = template.verts @ pose.R.double().numpy().T + pose.t.double().numpy()
    rays = camera_rays(K, size, size)
    return (
        Scene([(verts, template.faces)])
        .occluded(np.zeros((1, 3), np.float32), rays.reshape(-1, 3))
        .reshape(size, size)
    )


def _contour(canvas: np.ndarray, mask: np.ndarray, color: RGB) -> None:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, color, 1, cv2.LINE_AA)


def _line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, color: RGB) -> None:
    if np.abs([start, end]).max() < 1e4:
        cv2.line(canvas, _subpixel(start), _subpixel(end), color, 1, cv2.LINE_AA, shift=4)


def _dots(canvas: np.ndarray, points: np.ndarray, weight: np.ndarray, color: RGB) -> None:
    for point, counts in zip(points, weight, strict=True):
        if np.abs(point).max() < 1e4:
            radius, thickness = (40, -1) if counts else (58, 1)
            cv2.circle(canvas, _subpixel(point), radius, color, thickness, cv2.LINE_AA, shift=4)


def _subpixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0]) * 16), round(float(point[1]) * 16)
