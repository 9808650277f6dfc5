"""Training samples on one picture, with their targets drawn in."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rhobin.objects.template import Template
from rhobin.reports.palette import RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.reports.sample_picture import MASK_BODY, MASK_OBJECT, draw_sample
from rhobin.reports.target_maps import map_pictures
from rhobin.types import Sample

PAPER: RGB = (24, 27, 31)
INK: RGB = (222, 226, 230)
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
    rows: Sequence[Sequence[Tile]],
    templates: Mapping[int, Template],
    size: int = 300,
    planes: Sequence[str] = ("color", "person", "object"),
) -> np.ndarray:
    """A contact sheet: a row of pictures for each view.

    Args:
        rows: samples; those of a row show the same view.
        templates: object templates by id.
        size: width of a picture, pixels.
        planes: what the planes of the samples' images are.

    Returns:
        (H, W, 3) RGB uint8.
    """
    drawn = [[_captioned(tile, templates, size, planes) for tile in row] for row in rows]
    width = max(len(row) for row in drawn) * (size + GAP) + GAP
    strips = []
    for row, pictures in zip(rows, drawn, strict=True):
        key = row[0].sample.key
        template = templates.get(row[0].sample.object_id)
        name = template.name if template else "no object"
        head = paper(LINE + 8, width)
        text = f"{key.sequence}  {key.frame}  kinect {key.camera}  {name}  view {key.index}"
        write(head, text, (GAP, LINE + 3), 0.46)
        height = max(picture.shape[0] for picture in pictures)
        strip = paper(height, width)
        for column, picture in enumerate(pictures):
            left = GAP + column * (size + GAP)
            strip[: picture.shape[0], left : left + size] = picture
        strips += [head, strip]
    return np.concatenate([*strips, _legend(width)])


def write_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write an RGB picture as a PNG, making its folder.

    Raises:
        OSError: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())


def _captioned(tile: Tile, templates: Mapping[int, Template], size: int, planes: Sequence[str]) -> np.ndarray:
    sample = tile.sample
    picture = draw_sample(sample, templates.get(sample.object_id), size, planes)
    lines = textwrap.wrap(", ".join(tile.notes), width=max(20, size // 6)) or [""]
    below = paper(len(lines) * LINE + 8, size)
    for number, line in enumerate(lines):
        write(below, line, (2, LINE * (number + 1)), 0.36)
    write(picture, tile.title, (6, 14), 0.4)
    return np.concatenate([picture, *_thumbnails(sample, size), below])


def _thumbnails(sample: Sample, size: int) -> list[np.ndarray]:
    """A strip of the optional maps of a sample, if it has any."""
    pictures = map_pictures(sample)
    if not pictures:
        return []
    side = (size - 4 * (len(pictures) - 1)) // max(4, len(pictures))
    strip = paper(side + LINE + 4, size)
    for number, (name, picture) in enumerate(pictures):
        left = number * (side + 4)
        strip[4 : 4 + side, left : left + side] = cv2.resize(
            picture, (side, side), interpolation=cv2.INTER_NEAREST
        )
        write(strip, name, (left + 1, side + LINE), 0.34)
    return [strip]


def _legend(width: int) -> np.ndarray:
    strip = paper(LINE + 14, width)
    left = GAP
    for text, color in LEGEND:
        cv2.circle(strip, (left + 5, 14), 5, color, -1, cv2.LINE_AA)
        write(strip, text, (left + 16, 18), 0.4)
        left += 16 + cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.4, 1)[0][0] + 22
    return strip


def paper(height: int, width: int) -> np.ndarray:
    """An empty part of a sheet, (height, width, 3) uint8."""
    return np.full((height, width, 3), PAPER, np.uint8)


def write(canvas: np.ndarray, text: str, at: tuple[int, int], scale: float) -> None:
    """Write a line of text at (x, y) of its foot."""
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, INK, 1, cv2.LINE_AA)
