"""Chairs, the stool and the tables."""

import numpy as np

from rhobin.objects.assemble import Color, Design, Part, Patch, facing, grip
from rhobin.objects.bars import beam, ring, rod
from rhobin.objects.primitives import Box, Lathe, Strip, Tube
from rhobin.objects.sweeps import frame_along
from rhobin.objects.symmetry import SymmetryGroup
from rhobin.objects.template import Grip

WOOD: Color = (170, 118, 70)
DARK_WOOD: Color = (128, 84, 48)
STEEL: Color = (168, 172, 176)
BLACK: Color = (38, 38, 42)


def chairwood() -> Design:
    """A kitchen chair: seat at 45 cm, back to 90 cm with slats, stretchers between the legs."""
    parts = [Part(Box(size=(0.43, 0.03, 0.42), radius=0.008, spacing=0.05).placed((0, 0.435, 0.01)), WOOD)]
    for x in (-0.19, 0.19):
        parts += [
            Part(beam((x, 0, 0.18), (x, 0.42, 0.18), 0.04, 0.04, 0.05), DARK_WOOD),
            Part(beam((x, 0, -0.2), (x, 0.44, -0.2), 0.04, 0.04, 0.05), DARK_WOOD),
            Part(beam((x, 0.435, -0.2), (x, 0.9, -0.27), 0.04, 0.035, 0.05), DARK_WOOD),
            Part(beam((x, 0.16, -0.18), (x, 0.16, 0.16), 0.02, 0.03, 0.05), DARK_WOOD),
        ]
    parts.append(Part(beam((-0.17, 0.16, 0), (0.17, 0.16, 0), 0.03, 0.02, 0.05), DARK_WOOD))
    parts += _slatted_back()
    back = [
        grip("back_top", (0, 0.919, -0.272), (0, 1, 0), (1, 0, 0), length=0.42),
        grip("back_plus_x", (0.21, 0.72, -0.243), (1, 0, 0), (0, 1, 0), length=0.4),
        grip("back_minus_x", (-0.21, 0.72, -0.243), (-1, 0, 0), (0, 1, 0), length=0.4),
        grip("back_rear", (0, 0.875, -0.279), (0, 0, -1), (1, 0, 0), length=0.42),
    ]
    return Design(parts, [*_seat_grips(0.45, 0.03, (0.43, 0.42)), *back])


def _slatted_back() -> list[Part]:
    lean = frame_along(np.array([0.0, 0.465, -0.07]) / np.hypot(0.465, 0.07))
    top = Box(size=(0.42, 0.09, 0.026), radius=0.008, spacing=0.05).placed((0, 0.875, -0.266), lean)
    low = Box(size=(0.34, 0.045, 0.02), radius=0.006, spacing=0.05).placed((0, 0.58, -0.222), lean)
    parts = [Part(top, WOOD), Part(low, WOOD)]
    for x in (-0.105, -0.035, 0.035, 0.105):
        parts.append(Part(beam((x, 0.59, -0.2235), (x, 0.84, -0.2612), 0.03, 0.012, 0.05), WOOD))
    return parts


def _seat_grips(top: float, thickness: float, size: tuple[float, float]) -> list[Grip]:
    """Middle of the seat and of its front and side edges; seats are centred 1 cm before the origin."""
    width, depth = size
    edge = top - thickness / 2
    return [
        grip("seat", (0, top, 0.01), (0, 1, 0), (0, 0, 1), length=depth),
        grip("seat_plus_x", (width / 2, edge, 0.01), (1, 0, 0), (0, 0, 1), length=depth),
        grip("seat_minus_x", (-width / 2, edge, 0.01), (-1, 0, 0), (0, 0, 1), length=depth),
        grip("seat_front", (0, edge, 0.01 + depth / 2), (0, 0, 1), (1, 0, 0), length=width),
    ]


def chairblack() -> Design:
    """A padded chair on a steel frame: seat at 46 cm, curved back to 88 cm, four splayed legs."""
    seat = Box(size=(0.46, 0.07, 0.44), radius=0.025, spacing=0.042).placed((0, 0.425, 0.01))
    angle = np.linspace(-0.5, 0.5, 9)
    arc = tuple((0.44 * np.sin(a), 0.44 * (1 - np.cos(a))) for a in angle)
    lean = frame_along(np.array([0.0, 0.984, -0.18]) / np.hypot(0.984, 0.18))
    back = Strip(path=arc, thickness=0.035, width=0.34, spacing=0.042)
    stand = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    parts = [
        Part(seat, BLACK, (Patch((58, 58, 64), facing((0, 1, 0))),)),
        Part(back.placed((0, 0.71, -0.265), lean @ stand), BLACK),
    ]
    for x in (-1.0, 1.0):
        upright = ((0.17 * x, 0.40, -0.16), (0.17 * x, 0.43, -0.235), (0.17 * x, 0.80, -0.29))
        parts += [
            Part(Tube(path=upright, radius=0.013, spacing=0.05), STEEL),
            Part(rod((0.17 * x, 0.41, 0.15), (0.225 * x, 0.0, 0.22), 0.015, 0.012), STEEL),
            Part(rod((0.17 * x, 0.41, -0.14), (0.225 * x, 0.0, -0.24), 0.015, 0.012), STEEL),
        ]
    parts.append(Part(rod((-0.18, 0.38, -0.14), (0.18, 0.38, -0.14), 0.01), STEEL))
    parts.append(Part(rod((-0.18, 0.38, 0.15), (0.18, 0.38, 0.15), 0.01), STEEL))
    grips = [
        grip("back_top", (0, 0.877, -0.296), (0, 1, 0), (1, 0, 0), length=0.40),
        grip("back_plus_x", (0.226, 0.71, -0.203), (0.88, 0, 0.48), (0, 1, 0), length=0.34),
        grip("back_minus_x", (-0.226, 0.71, -0.203), (-0.88, 0, 0.48), (0, 1, 0), length=0.34),
        grip("back_rear", (0, 0.71, -0.283), (0, 0, -1), (1, 0, 0), length=0.30),
    ]
    return Design(parts, [*_seat_grips(0.46, 0.07, (0.46, 0.44)), *grips])


def stool() -> Design:
    """A round stool: seat 34 cm across at 46 cm, four splayed legs, a ring for the feet."""
    profile = (
        (0.0, 0.415),
        (0.158, 0.415),
        (0.168, 0.422),
        (0.17, 0.438),
        (0.166, 0.452),
        (0.156, 0.46),
        (0.0, 0.46),
    )
    seat = Lathe(profile=profile, segments=32, spacing=0.034)
    line = Patch((214, 190, 150), facing((0, 1, 0), (-0.018, 0, 0), (0.018, 1, 0.15)))
    parts = [Part(seat, (176, 62, 52), (line,)), Part(ring(0.166, 0.018, 32).placed((0, 0.16, 0)), STEEL)]
    for x in (-1.0, 1.0):
        for z in (-1.0, 1.0):
            parts.append(
                Part(
                    rod((0.092 * x, 0.42, 0.092 * z), (0.132 * x, 0, 0.132 * z), 0.015, spacing=0.036),
                    DARK_WOOD,
                )
            )
    named = {"plus_x": (1, 0, 0), "minus_x": (-1, 0, 0), "front": (0, 0, 1), "back": (0, 0, -1)}
    grips = [grip("seat", (0, 0.46, 0), (0, 1, 0), (0, 0, 1), length=0.34)]
    for name, (x, _, z) in named.items():
        grips.append(grip(f"rim_{name}", (0.17 * x, 0.438, 0.17 * z), (x, 0, z), (abs(z), 0, abs(x))))
    return Design(parts, grips, SymmetryGroup(order=4))


def _table_grips(width: float, depth: float, height: float, thickness: float) -> list[Grip]:
    middle = height - thickness / 2
    return [
        grip("top", (0, height, 0), (0, 1, 0), (1, 0, 0), length=width),
        grip("under", (0, height - thickness, 0), (0, -1, 0), (1, 0, 0), length=width),
        grip("edge_front", (0, middle, depth / 2), (0, 0, 1), (1, 0, 0), length=width),
        grip("edge_back", (0, middle, -depth / 2), (0, 0, -1), (1, 0, 0), length=width),
        grip("edge_plus_x", (width / 2, middle, 0), (1, 0, 0), (0, 0, 1), length=depth),
        grip("edge_minus_x", (-width / 2, middle, 0), (-1, 0, 0), (0, 0, 1), length=depth),
    ]


def tablesmall() -> Design:
    """A side table, 55 x 40 cm and 45 cm high, with a shelf."""
    top = Box(size=(0.55, 0.03, 0.40), radius=0.006, spacing=0.045, cuts=((-0.2, -0.1, 0.1, 0.2), (), ()))
    stripe = Patch(DARK_WOOD, facing((0, 1, 0), (0.1, -1, -1), (0.2, 1, 1)))
    shelf = Box(size=(0.49, 0.018, 0.34), spacing=0.08)
    parts = [
        Part(top.placed((0, 0.435, 0)), (196, 150, 98), (stripe,)),
        Part(shelf.placed((0, 0.14, 0)), (196, 150, 98)),
    ]
    for x in (-0.245, 0.245):
        for z in (-0.17, 0.17):
            parts.append(Part(beam((x, 0, z), (x, 0.42, z), 0.036, 0.036, 0.07), DARK_WOOD))
    return Design(parts, _table_grips(0.55, 0.40, 0.45, 0.03), SymmetryGroup(order=2))


def tablesquare() -> Design:
    """A square table, 80 x 80 cm and 72 cm high."""
    grid = (-0.34, -0.2, -0.08, 0.08, 0.2, 0.34)
    top = Box(size=(0.80, 0.03, 0.80), radius=0.006, spacing=0.06, cuts=(grid, (), grid))
    mat = Patch((96, 112, 132), facing((0, 1, 0), (-0.2, 0, 0.08), (0.2, 1, 0.34)))
    parts = [Part(top.placed((0, 0.705, 0)), (214, 208, 196), (mat,))]
    for side in (-0.345, 0.345):
        parts.append(Part(beam((-0.33, 0.66, side), (0.33, 0.66, side), 0.06, 0.02, 0.08), STEEL))
        parts.append(Part(beam((side, 0.66, -0.33), (side, 0.66, 0.33), 0.02, 0.06, 0.08), STEEL))
        for z in (-0.345, 0.345):
            parts.append(Part(beam((side, 0, z), (side, 0.69, z), 0.05, 0.05, 0.06), STEEL))
    return Design(parts, _table_grips(0.80, 0.80, 0.72, 0.03), SymmetryGroup(order=4))
