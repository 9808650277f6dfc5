"""Training samples on one picture, with their targets drawn in."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rhobin.body.joints import PARENTS29
from rhobin.geometry.backend import rasterise
from rhobin.objects.template import Template
from rhobin.reports.palette import RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.reports.target_maps import map_pictures
from rhobin.types import Sample, required

MASK_BODY: RGB = (255, 255, 255)
MASK_OBJECT: RGB = (255, 112, 196)
PAPER: RGB = (24, 27, 31)
INK: RGB = (222, 226, 230)
MARGIN = 0.1  # of the picture, so that points outside the crop can be seen
GAP, LINE = 10, 15
LEGEND: tuple[tuple[str, RGB], ...] = (
    ("joints (hollow: weight 0)", TARGET_BODY),
    ("object: template outline and keypoints", TARGET_OBJECT),
    ("person mask", MASK_BODY),
    ("object mask", MASK_OBJECT),
)


@dataclass(frozen=True)
class Tile:
    """One sample to show.

    Attributes:
        sample: with its targets.
        title: over the picture.
        notes: under it, one phrase each.
    """

    sample: Sample
    title: str
    notes: Sequence[str] = ()


def draw_sheet(
    rows: Sequence[Sequence[Tile]], templates: Mapping[int, Template], size: int = 300
) -> np.ndarray:
    """A contact sheet: a row of pictures for each view.

    Args:
        rows: samples; those of a row show the same view.
        templates: object templates by id.
        size: width of a picture, pixels.

    Returns:
        (H, W, 3) RGB uint8.
    """
    drawn = [[_captioned(tile, templates, size) for tile in row] for row in rows]
    width = max(len(row) for row in drawn) * (size + GAP) + GAP
    strips = []
    for row, pictures in zip(rows, drawn, strict=True):
        key = row[0].sample.key
        name = templates[row[0].sample.object_id].name
        head = _paper(LINE + 8, width)
        text = f"{key.sequence}  {key.frame}  kinect {key.camera}  {name}  view {key.index}"
        _write(head, text, (GAP, LINE + 3), 0.46)
        height = max(picture.shape[0] for picture in pictures)
        strip = _paper(height, width)
        for column, picture in enumerate(pictures):
            left = GAP + column * (size + GAP)
            strip[: picture.shape[0], left : left + size] = picture
        strips += [head, strip]
    return np.concatenate([*strips, _legend(width)])


def draw_sample(sample: Sample, template: Template, size: int) -> np.ndarray:
    """A sample's image with masks' outlines, skeleton, template outline and keypoints.

    Args:
        sample: with its targets.
        template: of its object.
        size: width of the picture, pixels; the crop takes the middle, without a margin of `MARGIN`.

    Returns:
        (size, size, 3) RGB uint8.
    """
    margin = round(MARGIN * size)
    inner = size - 2 * margin
    canvas = np.full((size, size, 3), 46, np.uint8)
    canvas[margin:-margin, margin:-margin] = cv2.resize(
        image_of(sample), (inner, inner), interpolation=cv2.INTER_CUBIC
    )
    for plane, color in ((3, MASK_BODY), (4, MASK_OBJECT)):
        mask = cv2.resize(sample.image[plane].numpy(), (inner, inner), interpolation=cv2.INTER_LINEAR)
        _contour(canvas, np.pad(mask, margin) > 127, color)
    width = sample.image.shape[2]
    _contour(canvas, _template_mask(sample, template, size, margin, inner / width), TARGET_OBJECT)
    drawn: Any = sample.target.heatmaps
    joints, kpts = (
        (uvd.numpy()[:, :2] + 0.5) * inner + margin + 0.5 * (inner / width - 1)
        for uvd in (drawn.joints_uvd, drawn.kpts_uvd)
    )
    for joint, parent in enumerate(PARENTS29):
        if parent >= 0:
            _line(canvas, joints[joint], joints[parent], TARGET_BODY)
    _dots(canvas, joints, drawn.joints_weight.numpy(), TARGET_BODY)
    _dots(canvas, kpts, drawn.kpts_weight.numpy(), TARGET_OBJECT)
    return canvas


def write_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write an RGB picture as a PNG, making its folder.

    Raises:
        OSError: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())


def image_of(sample: Sample) -> np.ndarray:
    """The picture in a network's input, (H, W, 3) RGB uint8."""
    return np.ascontiguousarray(sample.image[:3].numpy().transpose(1, 2, 0))


def _captioned(tile: Tile, templates: Mapping[int, Template], size: int) -> np.ndarray:
    sample = tile.sample
    picture = draw_sample(sample, templates[sample.object_id], size)
    lines = textwrap.wrap(", ".join(tile.notes), width=max(20, size // 6)) or [""]
    below = _paper(len(lines) * LINE + 8, size)
    for number, line in enumerate(lines):
        _write(below, line, (2, LINE * (number + 1)), 0.36)
    _write(picture, tile.title, (6, 14), 0.4)
    return np.concatenate([picture, *_thumbnails(sample, size), below])


def _thumbnails(sample: Sample, size: int) -> list[np.ndarray]:
    """A strip of the optional maps of a sample, if it has any."""
    pictures = map_pictures(sample)
    if not pictures:
        return []
    side = (size - 4 * (len(pictures) - 1)) // max(4, len(pictures))
    strip = _paper(side + LINE + 4, size)
    for number, (name, picture) in enumerate(pictures):
        left = number * (side + 4)
        strip[4 : 4 + side, left : left + side] = cv2.resize(
            picture, (side, side), interpolation=cv2.INTER_NEAREST
        )
        _write(strip, name, (left + 1, side + LINE), 0.34)
    return [strip]


def _template_mask(sample: Sample, template: Template, size: int, margin: int, scale: float) -> np.ndarray:
    """Where the template projects to, seen through everything, on the picture with its margin."""
    to_picture = np.array(
        [[scale, 0, margin + (scale - 1) / 2], [0, scale, margin + (scale - 1) / 2], [0, 0, 1]]
    )
    K = to_picture @ sample.K_crop.double().numpy()
    pose = required(sample.target.object, "the true object")
    verts = template.verts @ pose.R.double().numpy().T + pose.t.double().numpy()
    return rasterise([(verts, template.faces)], K, size, size).geom_id.reshape(size, size) >= 0


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


def _legend(width: int) -> np.ndarray:
    strip = _paper(LINE + 14, width)
    left = GAP
    for text, color in LEGEND:
        cv2.circle(strip, (left + 5, 14), 5, color, -1, cv2.LINE_AA)
        _write(strip, text, (left + 16, 18), 0.4)
        left += 16 + cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.4, 1)[0][0] + 22
    return strip


def _paper(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)


def _write(canvas: np.ndarray, text: str, at: tuple[int, int], scale: float) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, INK, 1, cv2.LINE_AA)
