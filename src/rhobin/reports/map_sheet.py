"""What a network drew of some views on one picture: a row for each view."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from rhobin.reports.contact_sheet import GAP, LINE, paper, write
from rhobin.reports.drawn_views import DrawnView
from rhobin.reports.map_gallery import panels_of
from rhobin.reports.map_panels import Panel, Templates

BETWEEN = 4
"""Pixels between the truth and what the network drew."""


def draw_map_sheet(views: Sequence[DrawnView], templates: Templates, size: int = 170) -> np.ndarray:
    """A row for each view: of every kind of picture the truth, then what the network drew.

    Args:
        views: of one kind, drawn by one network.
        templates: by object name.
        size: width of a picture, pixels.

    Returns:
        (H, W, 3) RGB uint8.
    """
    rows = [panels_of(view, templates, size) for view in views]
    width = len(rows[0]) * (2 * size + BETWEEN + GAP) + GAP
    strips = [_heads(rows[0], size, width)]
    for view, panels in zip(views, rows, strict=True):
        head = paper(LINE + 8, width)
        name = f"{view.label}:  {view.sequence}  {view.frame}  kinect {view.camera}  {view.object_name}"
        write(head, name, (GAP, LINE + 3), 0.46)
        strips += [head, _row(panels, size, width)]
    return np.concatenate([*strips, paper(GAP, width)])


def _heads(panels: Sequence[Panel], size: int, width: int) -> np.ndarray:
    strip = paper(4 * LINE, width)
    for place, panel in enumerate(panels):
        left, right = _lefts(place, size)
        write(strip, panel.title, (left, LINE + 4), 0.52)
        write(strip, panel.meaning, (left, 2 * LINE + 4), 0.36)
        write(strip, "true", (left, 3 * LINE + 8), 0.4)
        write(strip, "predicted", (right, 3 * LINE + 8), 0.4)
    return strip


def _row(panels: Sequence[Panel], size: int, width: int) -> np.ndarray:
    strip = paper(size + (LINE + 4 if any(panel.notes[0] for panel in panels) else 0), width)
    for place, panel in enumerate(panels):
        for left, picture, note in zip(_lefts(place, size), panel.pictures, panel.notes, strict=True):
            strip[:size, left : left + size] = cv2.resize(
                picture, (size, size), interpolation=cv2.INTER_NEAREST
            )
            write(strip, note, (left, size + LINE), 0.38)
    return strip


def _lefts(place: int, size: int) -> tuple[int, int]:
    """Left edges of the two pictures of a kind."""
    left = GAP + place * (2 * size + BETWEEN + GAP)
    return left, left + size + BETWEEN
