"""Furniture: pieces centred on the floor at their origin, front towards +z, metres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rhobin.synthetic.paint.materials import Material, hsv
from rhobin.synthetic.places.shapes import Surface, box, place, rectangle, revolved, rod, standing_box

WHITE = Material("plain", hsv(0.1, 0.03, 0.86))
BLACK = Material("plain", hsv(0.6, 0.08, 0.13))
STEEL = Material("plain", hsv(0.6, 0.04, 0.55))


def wood(rng: np.random.Generator) -> Material:
    """A wood between birch and walnut."""
    return Material("grain", hsv(rng.uniform(0.06, 0.1), rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.78)))


def cloth(rng: np.random.Generator) -> Material:
    """A muted upholstery."""
    hue, saturation, value = rng.uniform(), rng.uniform(0.1, 0.45), rng.uniform(0.25, 0.6)
    return Material("carpet", hsv(hue, saturation, value), hsv(hue, 0.8 * saturation, 1.25 * value))


def desk(rng: np.random.Generator) -> list[Surface]:
    """A desk with a screen, a keyboard and a drawer unit."""
    top, width = wood(rng), rng.uniform(1.2, 1.6)
    piece = [box((width, 0.03, 0.7), (0, 0.73, 0), top)]
    piece += [standing_box((0.04, 0.72, 0.6), side * (width / 2 - 0.06), 0, STEEL) for side in (-1, 1)]
    piece += [standing_box((0.4, 0.6, 0.55), width / 2 - 0.3, 0, WHITE)]
    piece += [box((0.02, 0.015, 0.2), (width / 2 - 0.3, h, 0.29), BLACK) for h in (0.2, 0.4)]
    glow = Material("poster", hsv(0.58, 0.3, 0.7), hsv(0.1, 0.1, 0.95), 0.05, emission=0.25)
    piece += [
        box((0.56, 0.34, 0.03), (-0.15, 1.03, -0.15), BLACK),
        rectangle(np.array([-0.41, 0.88, -0.13]), np.array([0.52, 0, 0]), np.array([0, 0.3, 0]), glow),
        standing_box((0.2, 0.14, 0.12), -0.15, -0.16, BLACK, 0.745),
        box((0.42, 0.02, 0.14), (-0.15, 0.755, 0.15), BLACK),
    ]
    return piece


def shelf(rng: np.random.Generator) -> list[Surface]:
    """An open bookshelf, most boards filled with books."""
    board, width, levels = wood(rng), rng.uniform(0.8, 1.2), int(rng.integers(4, 6))
    height = 0.35 * levels + 0.05
    piece = [standing_box((0.03, height, 0.3), side * width / 2, 0, board) for side in (-1, 1)]
    piece += [box((width, 0.02, 0.3), (0, 0.03 + 0.35 * k, 0), board) for k in range(levels + 1)]
    piece += [box((width, height, 0.01), (0, height / 2, -0.15), board)]
    for k in range(levels):
        filled = rng.uniform(0.35, 0.95) * (width - 0.06)
        books = Material("books", (0.5, 0.5, 0.5), scale=rng.uniform(0.025, 0.045))
        spines = box((filled, 0.26, 0.2), (0, 0.13, -0.02), books)
        offset = rng.choice([-1, 1]) * (width - 0.06 - filled) / 2
        piece += place([spines], offset, 0, 0, 0.045 + 0.35 * k)
    return piece


def cabinet(rng: np.random.Generator) -> list[Surface]:
    """A closed cabinet with two doors and a pot or boxes on it."""
    body = wood(rng) if rng.uniform() < 0.5 else WHITE
    width, height = rng.uniform(0.7, 1.1), rng.uniform(0.75, 1.3)
    piece = [standing_box((width, height, 0.42), 0, 0, body)]
    for side in (-1, 1):
        piece += [box((width / 2 - 0.02, height - 0.08, 0.015), (side * width / 4, height / 2, 0.217), body)]
        piece += [box((0.015, 0.14, 0.03), (side * 0.04, height * 0.6, 0.235), STEEL)]
    carton = Material("grain", hsv(0.08, 0.35, rng.uniform(0.5, 0.65)))
    piece += [standing_box((0.32, 0.2, 0.26), -0.15, 0, carton, height)]
    return piece


def sofa(rng: np.random.Generator) -> list[Surface]:
    """A two-seat sofa with cushions."""
    fabric, cushion = cloth(rng), cloth(rng)
    piece = [standing_box((1.5, 0.3, 0.75), 0, 0, fabric, 0.1), box((1.5, 0.5, 0.2), (0, 0.6, -0.3), fabric)]
    piece += [standing_box((0.18, 0.5, 0.75), side * 0.72, 0, fabric, 0.1) for side in (-1, 1)]
    piece += [box((0.62, 0.12, 0.55), (side * 0.32, 0.45, 0.06), fabric) for side in (-1, 1)]
    tilted = box((0.4, 0.4, 0.12), (0, 0, 0), cushion)
    cos, sin = np.cos(0.4), np.sin(0.4)
    R = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    piece += [Surface(tilted.verts, tilted.faces, cushion, R, np.array([-0.4, 0.68, -0.1]))]
    return piece


def plant(rng: np.random.Generator) -> list[Surface]:
    """A pot plant of bent leaves."""
    pot = Material("plain", hsv(rng.uniform(0.0, 0.1), rng.uniform(0, 0.5), rng.uniform(0.3, 0.85)))
    green = Material("leaves", hsv(0.3, 0.5, 0.32), hsv(0.24, 0.5, 0.5))
    piece = [revolved([(0.0, 0), (0.13, 0), (0.17, 0.32), (0.14, 0.32), (0.0, 0.29)], pot)]
    for _ in range(36):
        angle, lean, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1.1), rng.uniform(0.35, 0.95)
        out = np.array([np.sin(angle), 0, np.cos(angle)])
        side = np.array([out[2], 0, -out[0]]) * rng.uniform(0.03, 0.06)
        s = np.linspace(0, 1, 6)[:, None]
        spine = (
            np.array([0, 0.3, 0])
            + s * size * (np.cos(lean) * np.array([0, 1, 0]) + np.sin(lean) * out)
            - (s**2) * [0, 0.25 * size * lean, 0]
        )
        width = np.sin(np.pi * np.clip(s, 0.06, 0.96)) + 0.1
        verts = np.concatenate([spine - side * width, spine + side * width])
        k = np.arange(5)
        faces = np.concatenate([np.stack([k, k + 6, k + 1], 1), np.stack([k + 1, k + 6, k + 7], 1)])
        piece.append(Surface(verts, faces.astype(np.int32), green))
    return piece


def floor_lamp(rng: np.random.Generator) -> list[Surface]:
    """A standing lamp with a cloth shade."""
    shade = Material("plain", hsv(0.11, 0.25, 0.85), emission=0.5)
    height = rng.uniform(1.4, 1.7)
    return [
        revolved([(0.0, 0.02), (0.16, 0.02), (0.16, 0)], BLACK),
        rod((0, 0, 0), (0, height, 0), 0.012, BLACK),
        revolved([(0.21, height - 0.12), (0.13, height + 0.18)], shade),
    ]


def bin_and_boxes(rng: np.random.Generator) -> list[Surface]:
    """A stack of cartons beside a waste paper bin."""
    piece = [revolved([(0.11, 0), (0.15, 0.32), (0.14, 0.32), (0.1, 0.02), (0, 0.02)], BLACK, -0.42)]
    y = 0.0
    for _ in range(int(rng.integers(2, 4))):
        size = (rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.34), rng.uniform(0.3, 0.4))
        carton = Material("grain", hsv(0.08, rng.uniform(0.3, 0.42), rng.uniform(0.5, 0.68)))
        piece += place([standing_box(size, 0, 0, carton)], 0, 0, rng.uniform(-0.2, 0.2), y)
        y += size[1]
    return piece


def side_chair(rng: np.random.Generator) -> list[Surface]:
    """A visitor's chair."""
    frame, seat = (STEEL if rng.uniform() < 0.5 else wood(rng)), cloth(rng)
    piece = [box((0.44, 0.05, 0.42), (0, 0.45, 0), seat), box((0.42, 0.34, 0.04), (0, 0.72, -0.2), seat)]
    for side in (-0.19, 0.19):
        piece += [rod((side, 0, 0.19), (side, 0.45, 0.18), 0.014, frame)]
        piece += [rod((side, 0, -0.22), (side, 0.88, -0.21), 0.014, frame)]
    return piece


def radiator(rng: np.random.Generator) -> list[Surface]:
    """A ribbed radiator."""
    width = rng.uniform(0.8, 1.3)
    ribs = np.arange(-width / 2, width / 2, 0.06)
    return [box((0.045, 0.5, 0.1), (float(x), 0.4, 0), WHITE) for x in ribs]


def coat_rack(rng: np.random.Generator) -> list[Surface]:
    """A coat stand with two coats."""
    piece = [
        rod((0, 0, 0), (0, 1.75, 0), 0.02, wood(rng)),
        revolved([(0.2, 0), (0.2, 0.03), (0, 0.03)], BLACK),
    ]
    for side in (-1, 1):
        coat = revolved([(0.14, 0.72), (0.13, 1.2), (0.09, 1.5), (0.02, 1.62)], cloth(rng), 0.13 * side, 0.02)
        piece.append(coat)
    return piece


def low_table(rng: np.random.Generator) -> list[Surface]:
    """A coffee table with magazines."""
    top = wood(rng)
    piece = [box((0.8, 0.04, 0.5), (0, 0.42, 0), top)]
    piece += [standing_box((0.04, 0.4, 0.04), x, z, top) for x in (-0.36, 0.36) for z in (-0.21, 0.21)]
    paper = Material("poster", hsv(rng.uniform(), 0.5, 0.7), hsv(0.1, 0.05, 0.95), 0.06)
    return piece + place([box((0.22, 0.03, 0.3), (0.1, 0.455, 0), paper)], 0, 0, rng.uniform(-0.5, 0.5))


def tripod(height: float) -> list[Surface]:
    """A kinect on its tripod, its lens at `height` just in front of the box."""
    piece = [box((0.10, 0.04, 0.12), (0, height, -0.11), BLACK)]
    piece += [rod((0, 0.5, -0.11), (0, height - 0.02, -0.11), 0.014, BLACK)]
    for angle in (0.5, 2.6, 4.7):
        foot = (0.32 * np.sin(angle), 0.0, -0.11 + 0.32 * np.cos(angle))
        piece += [rod(foot, (0, 0.62, -0.11), 0.011, BLACK)]
    return piece


WALL_PIECES: tuple[Callable[[np.random.Generator], list[Surface]], ...] = (
    desk,
    shelf,
    cabinet,
    sofa,
    plant,
    floor_lamp,
    bin_and_boxes,
    side_chair,
    radiator,
    coat_rack,
)
"""Pieces that stand along walls."""

FRONT_PIECES: tuple[Callable[[np.random.Generator], list[Surface]], ...] = (plant, side_chair, low_table)
"""Pieces that may stand between a camera and the person."""
