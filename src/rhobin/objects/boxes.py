"""Cardboard boxes and the plastic container."""

import numpy as np

from rhobin.objects.assemble import FAR, Color, Design, Part, Patch, facing, grip
from rhobin.objects.primitives import Box
from rhobin.objects.solid import Vector
from rhobin.objects.symmetry import CUBOID, SymmetryGroup
from rhobin.objects.template import Grip

LABEL: Color = (235, 232, 222)
INK: Color = (60, 52, 48)
STAMP: Color = (142, 58, 48)
TAPE: Color = (214, 190, 140)


def face_grips(size: Vector, centre: Vector) -> list[Grip]:
    """Middles of the six faces of a box: plus_x, minus_x, top, bottom, front, back."""
    named = {
        "plus_x": ((1, 0, 0), (0, 0, 1)),
        "minus_x": ((-1, 0, 0), (0, 0, 1)),
        "top": ((0, 1, 0), (1, 0, 0)),
        "bottom": ((0, -1, 0), (1, 0, 0)),
        "front": ((0, 0, 1), (1, 0, 0)),
        "back": ((0, 0, -1), (1, 0, 0)),
    }
    grips = []
    for name, (normal, direction) in named.items():
        x, y, z = np.asarray(centre) + np.asarray(normal) * np.asarray(size) / 2
        length = float(np.abs(np.asarray(direction)) @ np.asarray(size))
        grips.append(grip(name, (x, y, z), normal, direction, length=length))
    return grips


def cardboard(size: Vector, color: Color, spacing: float) -> Design:
    """A closed box: tape over top and bottom, a label in front, a stamp behind, a dark mark on +x."""
    width, height, depth = size
    tape = 0.06 * depth + 0.012
    near, far, low, high = 0.05 * width, 0.41 * width, -0.1 * height, 0.3 * height
    cuts = ((-far, -near, near, far), (-high, low, -low, high), (-tape, tape))
    patches = (
        Patch(TAPE, facing((0, 1, 0), (-FAR, -FAR, -tape), (FAR, FAR, tape))),
        Patch(TAPE, facing((0, -1, 0), (-FAR, -FAR, -tape), (FAR, FAR, tape))),
        Patch(LABEL, facing((0, 0, 1), (near, low, -FAR), (far, high, FAR))),
        Patch(INK, facing((1, 0, 0), (-FAR, low, -tape), (FAR, high, tape))),
        Patch(STAMP, facing((0, 0, -1), (-far, low, -FAR), (-near, -low, FAR))),
    )
    solid = Box(size=size, spacing=spacing, cuts=cuts).placed((0, height / 2, 0))
    centre = (0.0, height / 2, 0.0)
    return Design([Part(solid, color, patches)], face_grips(size, centre), CUBOID, centre)


def boxlarge() -> Design:
    """A moving box, 55 x 40 x 42 cm."""
    return cardboard((0.55, 0.40, 0.42), (176, 132, 86), 0.048)


def boxmedium() -> Design:
    """A parcel, 42 x 28 x 32 cm."""
    return cardboard((0.42, 0.28, 0.32), (190, 150, 104), 0.035)


def boxsmall() -> Design:
    """A shoe box, 30 x 20 x 24 cm."""
    return cardboard((0.30, 0.20, 0.24), (150, 108, 70), 0.0245)


def boxtiny() -> Design:
    """A small package, 20 x 12 x 15 cm."""
    return cardboard((0.20, 0.12, 0.15), (200, 166, 122), 0.016)


def boxlong() -> Design:
    """A long flat package, 65 x 20 x 25 cm."""
    return cardboard((0.65, 0.20, 0.25), (168, 128, 92), 0.034)


def plasticcontainer() -> Design:
    """A storage box with a lid and two side handles, 44 x 27 x 31 cm over all."""
    blue, lid, dark = (120, 160, 196), (226, 230, 232), (70, 92, 120)
    label = Patch(LABEL, facing((0, 0, 1), (-0.07, -0.05, -FAR), (0.07, 0.04, FAR)))
    body = Box(size=(0.40, 0.23, 0.28), radius=0.02, spacing=0.045, cuts=((-0.07, 0.07), (-0.05, 0.04), ()))
    cover = Box(size=(0.42, 0.035, 0.30), radius=0.012, spacing=0.05)
    ridge = Box(size=(0.34, 0.018, 0.22), radius=0.006, spacing=0.06)
    lug = Box(size=(0.026, 0.03, 0.12), radius=0.006, spacing=0.05)
    parts = [
        Part(body.placed((0, 0.115, 0)), blue, (label,)),
        Part(cover.placed((0, 0.243, 0)), lid),
        Part(ridge.placed((0, 0.265, 0)), lid),
        Part(lug.placed((0.207, 0.19, 0)), dark),
        Part(lug.placed((-0.207, 0.19, 0)), dark),
    ]
    sides = [g for g in face_grips((0.40, 0.23, 0.28), (0, 0.115, 0)) if g.name != "top"]
    cap = grip("top", (0, 0.274, 0), (0, 1, 0), (1, 0, 0), length=0.34)
    return Design(parts, [*sides, cap, *lugs(0.207, 0.19)], SymmetryGroup(order=2))


def lugs(x: float, y: float) -> list[Grip]:
    """Side handles at +-x, held from below."""
    return [
        grip("handle_plus_x", (x, y - 0.015, 0), (0, -1, 0), (0, 0, 1), length=0.12),
        grip("handle_minus_x", (-x, y - 0.015, 0), (0, -1, 0), (0, 0, 1), length=0.12),
    ]
