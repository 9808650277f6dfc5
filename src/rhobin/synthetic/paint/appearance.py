"""Skin, hair and clothes of a person, painted on the body by position in the T-pose.

Clothes are shading only: they never move the surface, so masks follow the body model exactly.
"""

from __future__ import annotations

import numpy as np

from rhobin.synthetic.paint.heads import paint_head, paint_long_hair
from rhobin.synthetic.paint.looks import Landmarks, Look, Paint
from rhobin.synthetic.paint.noise import cell_hash, noise


def body_paint(look: Look, marks: Landmarks, points: np.ndarray) -> Paint:
    """Paint of a person's surface points.

    Args:
        look: what the person wears.
        marks: landmarks of the T-pose in which the points are given.
        points: (N, 3) T-pose positions, metres.

    Returns:
        Albedo, bump and gloss.
    """
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    side = points[:, 0]
    paint = Paint(
        np.tile(np.asarray(look.skin, np.float32), (len(points), 1)),
        np.full(len(points), 0.03, np.float32),
        np.full(len(points), 0.07, np.float32),
    )
    head = y > marks.neck + 0.03
    paint_head(look, marks, np.flatnonzero(head & (x < 0.14)), x, y, z, paint)
    sleeve_end = _between(look.sleeve, (marks.shoulder, marks.elbow, marks.wrist))
    waist = marks.pelvis + 0.07
    collar = (
        marks.neck
        - look.neckline * np.clip((z - 0.02) / 0.08, 0, 1)
        - 0.005
        - 0.25 * np.clip(0.075 - x, -1, 0)
    )
    top = (y > waist) & (x < sleeve_end) & ((y < collar) | (x > 0.11))
    trousers = (y <= waist) & (y > marks.ankle + (1 - look.leg) * (marks.knee - marks.ankle)) & (x < 0.5)
    shoes = y < marks.ankle + 0.015 - 0.1 * (z - 0.02)
    _paint_top(look, marks, np.flatnonzero(top), side, y, z, paint)
    _paint_trousers(look, marks, np.flatnonzero(trousers & ~shoes), side, y, z, paint)
    _paint_shoes(look, marks, np.flatnonzero(shoes & (y < marks.knee)), y, z, paint)
    if look.long_hair:
        paint_long_hair(look, marks, x, y, z, paint.albedo)
    return paint


def _between(position: float, stations: tuple[float, float, float]) -> float:
    return float(np.interp(position, (0.0, 1.0, 2.0), stations))


def _paint_top(
    look: Look, marks: Landmarks, at: np.ndarray, side: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    side, y, z = side[at], y[at], z[at]
    x = np.abs(side)
    first, second = np.asarray(look.top, np.float32), np.asarray(look.top_second, np.float32)
    weight = np.zeros(len(at), np.float32)
    front = z > 0.06
    if look.top_pattern == "stripes":
        along = np.where(x > marks.shoulder, x, y)
        weight = (np.floor(along / 0.035) % 2 == 0).astype(np.float32)
    elif look.top_pattern == "check":
        weight = 0.5 * (np.floor(y / 0.03) % 2) + 0.5 * (np.floor(x / 0.03) % 2)
    elif look.top_pattern == "print":
        print_y = y - (marks.neck - 0.17)
        inside = front & (x < 0.10) & (np.abs(print_y) < 0.075)
        cells = cell_hash(np.floor(side / 0.022), np.floor(print_y / 0.03))
        weight = np.where(inside, cells > 0.4, 0).astype(np.float32)
    elif look.top_pattern == "raglan":
        weight = (x + 0.55 * (y - marks.neck) > marks.shoulder - 0.09).astype(np.float32)
    elif look.top_pattern == "jacket":
        weight = (front & (x < 0.055 + 0.12 * np.clip(y - marks.neck + 0.22, 0, 1))).astype(np.float32)
        first = np.where(
            ((x > 0.09) & (x < 0.1) & front & (y < marks.neck - 0.2))[:, None], first * 0.6, first
        )
    shade = 1 + 0.10 * noise(side * 1.2 + z, y, 3.0) + 0.05 * noise(side + z, y, 50.0)
    hem = (np.abs(y - marks.pelvis - 0.09) < 0.004) & (x < 0.3)
    paint.albedo[at] = (first + (second - first) * weight[:, None]) * (shade * (1 - 0.25 * hem))[:, None]
    paint.bump[at] = 0.22
    paint.gloss[at] = 0.02


def _paint_trousers(
    look: Look, marks: Landmarks, at: np.ndarray, side: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    side, y, z = side[at], y[at], z[at]
    x = np.abs(side)
    shade = 1 + 0.08 * noise(side + z, y, 2.5) + 0.06 * noise(side - z, y, 60.0)
    outer = (np.abs(z - 0.02) < 0.012) & (x > 0.14)
    color = np.tile(np.asarray(look.trousers, np.float32), (len(at), 1))
    if look.trouser_pattern == "denim":
        worn = np.clip(1 - np.abs(y - (marks.knee + 0.15)) / 0.3, 0, 1) * (z > 0.05)
        shade = shade * (1 + 0.35 * worn) * (1 - 0.3 * outer)
    elif look.trouser_pattern == "sport":
        color[(np.abs(z - 0.02) < 0.02) & (x > 0.13)] = 0.6
    pocket = (np.abs(y - (marks.pelvis + 0.0) + 0.6 * (x - 0.12)) < 0.004) & (z > 0.05) & (x > 0.07)
    belt = y > marks.pelvis + 0.042
    color = color * (shade * (1 - 0.35 * pocket))[:, None]
    color[belt] *= 0.45
    paint.albedo[at] = color
    paint.bump[at] = 0.2
    paint.gloss[at] = 0.03


def _paint_shoes(
    look: Look, marks: Landmarks, at: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    y, z = y[at] - marks.sole, z[at]
    color = np.tile(np.asarray(look.shoes, np.float32), (len(at), 1))
    laces = (z > 0.06) & (z < 0.15) & (y > 0.06) & (np.floor(z / 0.011) % 2 == 0)
    color[laces] = 0.6
    color[(z > 0.19) & (y > 0.022)] *= 0.75
    color[y < 0.022] = np.asarray(look.shoe_sole, np.float32)
    paint.albedo[at] = color
    paint.bump[at] = 0.05
    paint.gloss[at] = 0.12
