"""Furnished rooms, one per recording day: surfaces and lamps, the same for the same day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.light.shading import Light
from rhobin.synthetic.paint.materials import Material, hsv
from rhobin.synthetic.places.cameras import Rig, date_number
from rhobin.synthetic.places.furniture import FRONT_PIECES, STEEL, WALL_PIECES, WHITE, tripod
from rhobin.synthetic.places.lamps import ceiling_lamp, window_light
from rhobin.synthetic.places.shapes import Surface, box, place, rectangle

CLEAR_RADIUS = 1.45
"""Metres around the room's origin that furniture leaves free for people and objects."""


@dataclass(frozen=True)
class Room:
    """What stands and shines in a room; y up, floor at y = 0, people near the origin.

    Attributes:
        surfaces: walls, floor, furniture.
        lights: a ceiling lamp and a window.
        ambient: (3,) linear RGB of light from everywhere.
        sky: (3,) radiance seen where a ray leaves through the window.
    """

    surfaces: list[Surface]
    lights: tuple[Light, ...]
    ambient: np.ndarray
    sky: np.ndarray


def furnished_room(rig: Rig) -> Room:
    """The room of a recording day, its cameras' tripods included.

    Args:
        rig: the day's cameras.

    Returns:
        The room, in the room frame.
    """
    rng = np.random.default_rng([52, date_number(rig.date)])
    half_x, half_z, height = rng.uniform(3.0, 3.5), rng.uniform(2.9, 3.3), rng.uniform(2.55, 2.95)
    surfaces = [
        _floor(rng, half_x, half_z),
        rectangle([-half_x, height, -half_z], [2 * half_x, 0, 0], [0, 0, 2 * half_z], WHITE),
    ]
    window_wall = int(rng.integers(4))
    wall, accent = _wall_materials(rng)
    for side in range(4):
        away, half_width = (half_z, half_x) if side % 2 == 0 else (half_x, half_z)
        yaw = side * np.pi / 2 + np.pi
        x, z = away * np.sin(side * np.pi / 2), away * np.cos(side * np.pi / 2)
        material = accent if side == (window_wall + 2) % 4 else wall
        hole = side == window_wall
        surfaces += place(_wall(rng, half_width, height, material, hole), x, z, yaw)
        surfaces += place(_along_wall(rng, half_width, hole), x, z, yaw)
    surfaces += _in_front(rng, rig) + _tripods(rig)
    lamp, panel = ceiling_lamp(rng, height)
    window = window_light(rng, window_wall, half_x if window_wall % 2 else half_z)
    ambient = rng.uniform(0.26, 0.42) * np.array([1.0, rng.uniform(0.96, 1.0), rng.uniform(0.9, 1.02)])
    sky = np.array([1.5, 1.7, 1.9]) * rng.uniform(0.8, 1.3)
    return Room([*surfaces, panel], (lamp, window), ambient.astype(np.float32), sky.astype(np.float32))


def _floor(rng: np.random.Generator, half_x: float, half_z: float) -> Surface:
    warm = (rng.uniform(0.06, 0.1), rng.uniform(0.25, 0.5), rng.uniform(0.35, 0.7))
    cool = (rng.uniform(0.5, 0.7), rng.uniform(0.03, 0.25), rng.uniform(0.25, 0.5))
    grey = (0.1, 0.04, rng.uniform(0.4, 0.7))
    choices = (
        Material("planks", hsv(*warm), hsv(0.08, 0.5, 0.15), rng.uniform(0.08, 0.16)),
        Material("carpet", hsv(*cool), hsv(0.6, 0.1, 0.7)),
        Material("tiles", hsv(*grey), hsv(0.1, 0.05, 0.3), rng.uniform(0.3, 0.6)),
        Material("planks", hsv(0.09, 0.12, rng.uniform(0.5, 0.7)), hsv(0.08, 0.3, 0.2), 0.14),
        Material("checker", hsv(*grey), hsv(0.1, 0.1, grey[2] * 0.8), 0.4),
    )
    material = choices[int(rng.integers(len(choices)))]
    return rectangle([-half_x, 0, -half_z], [0, 0, 2 * half_z], [2 * half_x, 0, 0], material)


def _wall_materials(rng: np.random.Generator) -> tuple[Material, Material]:
    wall = Material("plain", hsv(rng.uniform(0.05, 0.16), rng.uniform(0.02, 0.14), rng.uniform(0.72, 0.9)))
    hue = rng.uniform()
    accents = (
        Material("plain", hsv(hue, rng.uniform(0.12, 0.35), rng.uniform(0.45, 0.75))),
        Material("bricks", hsv(0.03, 0.4, 0.5), hsv(0.1, 0.08, 0.65), 0.24),
        Material("stripes", hsv(hue, 0.12, 0.75), hsv(hue, 0.16, 0.66), 0.3),
        wall,
    )
    return wall, accents[int(rng.integers(len(accents)))]


def _wall(
    rng: np.random.Generator, half: float, height: float, material: Material, hole: bool
) -> list[Surface]:
    """A wall in the plane z = 0 facing +z, with skirting, pictures or a window."""
    if hole:
        return _window_wall(rng, half, height, material)
    piece = [rectangle([-half, 0, 0], [2 * half, 0, 0], [0, height, 0], material)]
    piece.append(box((2 * half, 0.08, 0.02), (0, 0.04, 0.01), WHITE))
    if rng.uniform() < 0.4:
        door = Material("grain", hsv(0.08, rng.uniform(0.1, 0.5), rng.uniform(0.45, 0.85)))
        x = rng.choice([-1, 1]) * (half - 0.75)
        piece += [
            box((0.9, 2.05, 0.05), (x, 1.025, 0.01), door),
            box((0.12, 0.03, 0.1), (x, 1.0, 0.05), STEEL),
        ]
    x = -half + rng.uniform(0.5, 0.9)
    while x < half - 0.5:
        sheet, width = _wall_sheet(rng)
        piece += place([sheet], x, 0.01, 0.0, rng.uniform(1.45, 1.75))
        x += width + rng.uniform(0.35, 1.3)
    return piece


def _wall_sheet(rng: np.random.Generator) -> tuple[Surface, float]:
    """A landscape, a notice or a white board, and its width."""
    first = hsv(rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.5), rng.uniform(0.5, 0.9))
    second = hsv(rng.uniform(0.05, 0.4), rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.6))
    kind, width = rng.uniform(), rng.uniform(0.4, 0.9)
    if kind < 0.5:
        return box(
            (width, 0.7 * width, 0.02), (0, 0, 0), Material("picture", first, second, width / 2)
        ), width
    if kind < 0.85:
        paper = Material("poster", hsv(0.1, 0.05, 0.9), second, rng.uniform(0.03, 0.07))
        return box((0.6 * width, 0.85 * width, 0.01), (0, 0, 0), paper), 0.6 * width
    board = Material("poster", (0.82, 0.83, 0.84), (0.7, 0.72, 0.8), 0.09)
    return box((1.5 * width, 0.9 * width, 0.02), (0, 0, 0), board), 1.5 * width


def _window_wall(rng: np.random.Generator, half: float, height: float, material: Material) -> list[Surface]:
    x, low, high = 0.9, 0.95, 2.15
    piece = [
        rectangle([-half, 0, 0], [2 * half, 0, 0], [0, low, 0], material),
        rectangle([-half, high, 0], [2 * half, 0, 0], [0, height - high, 0], material),
        rectangle([-half, low, 0], [half - x, 0, 0], [0, high - low, 0], material),
        rectangle([x, low, 0], [half - x, 0, 0], [0, high - low, 0], material),
        box((2 * x, 0.04, 0.2), (0, low, 0.05), WHITE),
        box((2 * x, 0.05, 0.06), (0, high, 0), WHITE),
    ]
    piece += [
        box((0.05, high - low, 0.06), (at, (low + high) / 2, 0), WHITE) for at in (-x, -x / 3, x / 3, x)
    ]
    hue = rng.uniform()
    curtain = Material("stripes", hsv(hue, 0.2, 0.75), hsv(hue, 0.25, 0.55), rng.uniform(0.08, 0.14))
    return piece + [box((0.5, 1.95, 0.06), (side * (x + 0.28), 1.35, 0.06), curtain) for side in (-1, 1)]


def _along_wall(rng: np.random.Generator, half: float, window: bool) -> list[Surface]:
    """Furniture in a row along a wall at z = 0, leaving the corners to the cameras."""
    surfaces: list[Surface] = []
    for x in (-half * 0.45, half * 0.4):
        if rng.uniform() < 0.12:
            continue
        tall_allowed = not window
        pieces = WALL_PIECES if tall_allowed else WALL_PIECES[:1] + WALL_PIECES[3:]
        piece = pieces[int(rng.integers(len(pieces)))](rng)
        back = -min(float(s.placed[:, 2].min()) for s in piece)
        surfaces += place(piece, x + rng.uniform(-0.2, 0.2), back + 0.06, rng.uniform(-0.06, 0.06))
    return surfaces


def _in_front(rng: np.random.Generator, rig: Rig) -> list[Surface]:
    """One or two pieces between cameras and people, so that the foreground occludes some views."""
    surfaces: list[Surface] = []
    for kinect in rng.permutation(4)[: int(rng.integers(1, 3))]:
        position = rig.in_room(int(kinect)).t
        azimuth = np.arctan2(position[0], position[2]) + rng.uniform(-0.35, 0.35)
        piece = FRONT_PIECES[int(rng.integers(len(FRONT_PIECES)))](rng)
        width = max(float(np.linalg.norm(s.placed[:, [0, 2]], axis=1).max()) for s in piece)
        radius = CLEAR_RADIUS + width
        surfaces += place(
            piece, radius * np.sin(azimuth), radius * np.cos(azimuth), rng.uniform(0, 2 * np.pi)
        )
    return surfaces


def _tripods(rig: Rig) -> list[Surface]:
    surfaces: list[Surface] = []
    for kinect in range(len(rig.cameras)):
        camera = rig.in_room(kinect)
        forward = camera.R[:, 2]
        yaw = np.arctan2(forward[0], forward[2])
        surfaces += place(tripod(float(camera.t[1])), float(camera.t[0]), float(camera.t[2]), yaw)
    return surfaces
