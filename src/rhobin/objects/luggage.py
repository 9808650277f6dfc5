"""Things with a handle: backpack, suitcase and toolbox."""

import numpy as np

from rhobin.objects.assemble import Color, Design, Part, Patch, facing, grip
from rhobin.objects.bars import cylinder
from rhobin.objects.boxes import face_grips
from rhobin.objects.primitives import Box, Strip, Tube
from rhobin.objects.solid import Primitive, Vector
from rhobin.objects.sweeps import frame_along
from rhobin.objects.template import Grip

BLACK: Color = (40, 40, 44)


def loop(half: float, foot: float, top: float, z: float, radius: float) -> Tube:
    """A carrying handle: a straight bar along x at height `top` on two legs down to `foot`."""
    bend = 0.25 * (top - foot)
    path = (
        (-half - bend, foot, z),
        (-half - 0.6 * bend, top - bend, z),
        (-half + 0.2 * bend, top, z),
        (half - 0.2 * bend, top, z),
        (half + 0.6 * bend, top - bend, z),
        (half + bend, foot, z),
    )
    return Tube(path=path, radius=radius, spacing=0.03)


def _handle_grip(top: float, z: float, radius: float, length: float) -> Grip:
    return grip("handle", (0, top, z), (0, 1, 0), (1, 0, 0), radius=radius, length=length)


def _side_grips(size: Vector, centre: Vector) -> list[Grip]:
    return [g for g in face_grips(size, centre) if g.name != "top"]


def backpack() -> Design:
    """A day pack, 30 x 45 x 16 cm and a front pocket; straps on the back, a loop on top."""
    cloth, pocket, strap = (52, 84, 122), (66, 104, 146), (36, 44, 58)
    zipper = Patch((206, 170, 72), lambda c, n: (c[:, 2] > 0.01) & (np.abs(c[:, 1] - 0.13) < 0.012))
    body = Box(size=(0.30, 0.44, 0.16), radius=0.06, spacing=0.046, cuts=((), (0.118, 0.142), ()))
    front = Box(size=(0.23, 0.20, 0.07), radius=0.028, spacing=0.045)
    side = Box(size=(0.05, 0.15, 0.09), radius=0.02, spacing=0.05)
    top = Patch((210, 202, 190), facing((0, 0, 1), (-0.08, 0.03, 0), (0.08, 0.07, 1)))
    parts = [
        Part(body.placed((0, 0.22, 0)), cloth, (zipper,)),
        Part(front.placed((0, 0.13, 0.085)), pocket, (top,)),
        Part(side.placed((0.148, 0.10, 0)), strap),
        Part(side.placed((-0.148, 0.10, 0)), strap),
        Part(loop(0.045, 0.42, 0.487, -0.045, 0.008), strap),
        *[Part(_strap(x), strap) for x in (-0.075, 0.075)],
    ]
    sides = [g for g in _side_grips((0.30, 0.44, 0.16), (0, 0.22, 0)) if g.name != "front"]
    pouch = grip("front", (0, 0.13, 0.12), (0, 0, 1), (1, 0, 0), length=0.23)
    return Design(parts, [*sides, pouch, _handle_grip(0.487, -0.045, 0.008, 0.09)])


def _strap(x: float) -> Primitive:
    """A shoulder strap: a band standing off the back, wide along x."""
    path = ((-0.05, 0.42), (-0.085, 0.405), (-0.115, 0.33), (-0.118, 0.22), (-0.10, 0.11), (-0.072, 0.05))
    turn = np.array([[0.0, 0, -1.0], [0, 1.0, 0], [1.0, 0, 0]])
    return Strip(path=path, thickness=0.012, width=0.055, spacing=0.04).placed((x, 0, 0), turn)


def suitcase() -> Design:
    """A cabin trolley, 38 x 57 x 22 cm: ribs in front, four wheels, carrying and telescopic handles."""
    shell, rib, trim = (150, 44, 52), (122, 32, 42), (196, 198, 202)
    body = Box(size=(0.38, 0.52, 0.22), radius=0.035, spacing=0.05, cuts=((), (), (-0.007, 0.007)))
    seam = Patch(BLACK, lambda c, n: np.abs(c[:, 2]) < 0.007)
    parts = [Part(body.placed((0, 0.31, 0)), shell, (seam,))]
    for x in (-0.12, -0.04, 0.04, 0.12):
        ridge = Box(size=(0.028, 0.44, 0.016), radius=0.006, spacing=0.09)
        parts.append(Part(ridge.placed((x, 0.31, 0.112)), rib))
    sideways = frame_along(np.array([1.0, 0.0, 0.0]))
    wheel = cylinder(0.026, 0.022, segments=12, spacing=0.03)
    for x in (-0.15, 0.15):
        for z in (-0.075, 0.075):
            parts.append(Part(wheel.placed((x, 0.026, z), sideways), BLACK))
            parts.append(Part(Box(size=(0.036, 0.03, 0.036), spacing=0.04).placed((x, 0.046, z)), trim))
    parts.append(Part(loop(0.055, 0.56, 0.622, 0.03, 0.009), BLACK))
    parts.append(Part(loop(0.085, 0.56, 0.60, -0.08, 0.008), trim))
    grips = [*_side_grips((0.38, 0.52, 0.22), (0, 0.31, 0)), _handle_grip(0.622, 0.03, 0.009, 0.11)]
    return Design(parts, grips)


def toolbox() -> Design:
    """A tool chest, 43 x 21 x 21 cm, two latches in front and a bar to carry it by."""
    red, lid, yellow = (178, 46, 40), (44, 44, 48), (226, 184, 56)
    base = Box(size=(0.41, 0.15, 0.19), radius=0.01, spacing=0.043)
    cover = Box(size=(0.43, 0.06, 0.21), radius=0.012, spacing=0.05)
    latch = Box(size=(0.04, 0.06, 0.014), radius=0.003, spacing=0.03)
    parts = [
        Part(base.placed((0, 0.075, 0)), red),
        Part(cover.placed((0, 0.175, 0)), lid),
        Part(latch.placed((-0.12, 0.148, 0.107)), yellow),
        Part(latch.placed((0.12, 0.148, 0.107)), yellow),
        Part(loop(0.075, 0.20, 0.262, 0.0, 0.011), yellow),
    ]
    grips = [*_side_grips((0.41, 0.15, 0.19), (0, 0.075, 0)), _handle_grip(0.262, 0.0, 0.011, 0.15)]
    return Design(parts, grips)
