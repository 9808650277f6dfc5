"""Pictures of where a network sees a person's centre, each beside that of the truth."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from rhobin.reports.contact_sheet import write
from rhobin.reports.drawn_views import DRAWN, TRUE, PersonView
from rhobin.reports.map_panels import Panel, Picture
from rhobin.reports.overlay import Window
from rhobin.reports.palette import PRED_BODY, RGB, TARGET_BODY
from rhobin.reports.skeleton import Skeleton, draw_skeletons

HEADS = (
    ("Joints", "green true, blue the network's own"),
    ("Centre, front view", "bright: likely; cross: where it is read"),
    ("Centre from above", "depth in metres, nearest below; columns as in the crop"),
)
"""Title of each kind of picture, and how to read it."""
COLORS = (TARGET_BODY, PRED_BODY)
HEAT: RGB = (255, 214, 120)
GROUND: RGB = (24, 24, 24)
DIM = 0.4
"""Brightness of the crop under a heatmap."""
LABELS = 5
"""Depths that are written beside the map from above."""


def draw_centre_panels(view: PersonView, size: int = 320) -> list[Panel]:
    """The pictures of a view.

    Args:
        view: what the network drew, and the truth.
        size: width of a picture, pixels.

    Returns:
        Joints, the centre in front view and from above.
    """
    pairs = zip(*(_pictures(view, side, size) for side in (TRUE, DRAWN)), strict=True)
    peaks = ("", f"peak {view.front[DRAWN].max() / 255:.2f}")
    depths = (_metres(view, TRUE), _metres(view, DRAWN))
    notes = {HEADS[1][0]: peaks, HEADS[2][0]: depths}
    return [
        Panel(title, meaning, pair, notes.get(title, ("", "")))
        for (title, meaning), pair in zip(HEADS, pairs, strict=True)
    ]


def _pictures(view: PersonView, side: int, size: int) -> tuple[Picture, Picture, Picture]:
    """Every kind of picture, of the truth or of what the network drew, above the truth."""
    window = Window(0.0, 0.0, float(view.image.shape[0]), size)
    crop = window.cut(view.image)
    shown = range(side + 1)
    bones = [Skeleton(view.joints[i], COLORS[i]) for i in shown]
    front = _heat(view.front[side], DIM * crop)
    bird = _heat(view.bird[side, ::-1], np.full_like(crop, GROUND))
    _write_depths(bird, view.depths)
    for i in shown:
        depth, row, column = view.place[i]
        _cross(front, _share(column, row, view.front.shape[1:]), COLORS[i])
        bins = len(view.depths)
        _cross(bird, _share(column, bins - 1 - depth, view.bird.shape[1:]), COLORS[i])
    return draw_skeletons(crop, bones, view.K, window), front, bird


def _heat(values: UInt8[np.ndarray, "h w"], ground: np.ndarray) -> Picture:
    """A heatmap over a picture, each cell a rectangle."""
    share = cv2.resize(values, ground.shape[1::-1], interpolation=cv2.INTER_NEAREST)[..., None] / 255
    return np.round(ground * (1 - share) + np.array(HEAT) * share).astype(np.uint8)


def _share(column: float, row: float, shape: tuple[int, ...]) -> Float[np.ndarray, 2]:
    """A place on a map of (h, w) cells, whose first cell's centre is 0, in shares of width and height."""
    return (np.array([column, row]) + 0.5) / (shape[1], shape[0])


def _cross(picture: Picture, share: Float[np.ndarray, 2], color: RGB) -> None:
    """Draw an upright cross with a dark rim into a picture; nothing for a place outside or not known."""
    if not ((share >= 0) & (share <= 1)).all():
        return
    x, y = np.round(share * picture.shape[1::-1] - 0.5).astype(int).tolist()
    arm, width = max(5, picture.shape[0] // 26), max(1, picture.shape[0] // 160)
    for shade, thick in ((GROUND, width + 3), (color, width)):
        cv2.line(picture, (x - arm, y), (x + arm, y), shade, thick, cv2.LINE_AA)
        cv2.line(picture, (x, y - arm), (x, y + arm), shade, thick, cv2.LINE_AA)


def _write_depths(picture: Picture, depths: Float[np.ndarray, " D"]) -> None:
    """Depths of some bins at the left edge, the nearest at the foot."""
    bins = np.unique(np.linspace(0, len(depths) - 1, LABELS).round().astype(int))
    for i in bins.tolist():
        y = picture.shape[0] * (1 - (i + 0.5) / len(depths))
        write(picture, f"{depths[i]:.1f} m", (5, round(y) + 5), picture.shape[0] / 800)


def _metres(view: PersonView, side: int) -> str:
    """Depth of a centre, by the inverse depths of the bins about it."""
    place = view.place[side, 0]
    if np.isnan(place):
        return "outside"
    return f"{1 / np.interp(place, np.arange(len(view.depths)), 1 / view.depths):.2f} m"
