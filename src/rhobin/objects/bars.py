"""Round and square bars, rings and cones: primitives by their usual measures."""

import numpy as np

from rhobin.objects.primitives import Box, Lathe
from rhobin.objects.solid import Primitive, Vector
from rhobin.objects.sweeps import frame_along


def cylinder(radius: float, height: float, segments: int = 24, spacing: float = 0.05) -> Lathe:
    """A round bar with flat ends along y, centred at the origin."""
    return frustum(radius, radius, height, segments, spacing)


def frustum(bottom: float, top: float, height: float, segments: int = 24, spacing: float = 0.05) -> Lathe:
    """A truncated cone along y, centred at the origin, with the given end radii."""
    profile = ((0.0, -height / 2), (bottom, -height / 2), (top, height / 2), (0.0, height / 2))
    return Lathe(profile=profile, segments=segments, spacing=spacing)


def ring(radius: float, thickness: float, segments: int = 24, sides: int = 8) -> Lathe:
    """A torus about y: `radius` to the centre of the bar, whose section is a polygon."""
    angle = 2 * np.pi * np.arange(sides) / sides
    half = thickness / 2
    profile = tuple((radius + half * np.cos(a), half * np.sin(a)) for a in angle)
    return Lathe(profile=profile, segments=segments, spacing=thickness)


def rod(
    start: Vector,
    end: Vector,
    radius: float,
    end_radius: float | None = None,
    segments: int = 8,
    spacing: float = 0.05,
) -> Primitive:
    """A round bar with flat ends from `start` to `end`, tapering to `end_radius` when given."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    bar = frustum(radius, radius if end_radius is None else end_radius, length, segments, spacing)
    middle = (a + b) / 2
    return bar.placed((middle[0], middle[1], middle[2]), frame_along((b - a) / length))


def beam(start: Vector, end: Vector, width: float, depth: float, spacing: float = 0.06) -> Primitive:
    """A square bar from `start` to `end`, `width` along x and `depth` across when it stands upright."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    x, y, z = (a + b) / 2
    box = Box(size=(width, length, depth), spacing=spacing)
    return box.placed((x, y, z), frame_along((b - a) / length))
