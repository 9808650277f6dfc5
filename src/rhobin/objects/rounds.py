"""Balls, the rolled yoga mat and the waste bin: solids of revolution."""

import numpy as np

from rhobin.objects.assemble import FAR, Color, Design, Part, Patch, facing, grip
from rhobin.objects.primitives import Lathe, Sphere
from rhobin.objects.sweeps import frame_along
from rhobin.objects.symmetry import BALL, SymmetryGroup
from rhobin.objects.template import Grip


def _ball_grips(radius: float) -> list[Grip]:
    named = {
        "plus_x": (1, 0, 0),
        "minus_x": (-1, 0, 0),
        "top": (0, 1, 0),
        "bottom": (0, -1, 0),
        "front": (0, 0, 1),
        "back": (0, 0, -1),
    }
    grips = []
    for name, normal in named.items():
        along = (0, 0, 1) if normal[2] == 0 else (1, 0, 0)
        x, y, z = radius * np.asarray(normal, dtype=np.float64)
        grips.append(grip(name, (x, y + radius, z), normal, along))
    return grips


def basketball() -> Design:
    """A size 7 ball, 24 cm across, black seams."""
    radius = 0.12

    def seam(c: np.ndarray, n: np.ndarray) -> np.ndarray:
        x, y, _ = (c / np.linalg.norm(c, axis=1, keepdims=True)).T
        bow = np.abs(np.abs(x) - 0.40 - 0.38 * y * y)
        return (np.abs(y) < 0.035) | (np.abs(x) < 0.035) | (bow < 0.035)

    mark = Patch((236, 214, 140), facing((0, 0, 1), (0.008, 0.02, 0), (0.042, 0.05, FAR)))
    ball = Sphere(radius=radius).placed((0, radius, 0))
    parts = [Part(ball, (206, 104, 46), (mark, Patch((40, 30, 28), seam)))]
    return Design(parts, _ball_grips(radius), BALL, (0, radius, 0))


def yogaball() -> Design:
    """A gymnastics ball, 65 cm across, darker bands about its axis and a light valve side."""
    radius = 0.325
    band = Patch((38, 92, 120), lambda c, n: np.abs(np.abs(c[:, 1]) - 0.13) < 0.03)
    face = Patch((206, 220, 226), facing((0, 0, 1), (-0.12, -0.07, 0), (0.12, 0.07, FAR)))
    cap = Patch((28, 66, 92), lambda c, n: c[:, 1] > 0.27)
    ball = Sphere(radius=radius).placed((0, radius, 0))
    parts = [Part(ball, (70, 142, 168), (band, face, cap))]
    return Design(parts, _ball_grips(radius), BALL, (0, radius, 0))


def yogamat() -> Design:
    """A rolled mat lying along x, 61 cm long and 13 cm thick, two straps around it."""
    radius, half = 0.065, 0.305
    purple: Color = (122, 84, 150)
    profile = (
        (0.0, -half + 0.012),
        (0.016, -half + 0.012),
        (0.020, -half),
        (radius, -half),
        (radius, half),
        (0.020, half),
        (0.016, half - 0.012),
        (0.0, half - 0.012),
    )
    roll = Lathe(profile=profile, segments=24, spacing=0.031)
    around = Patch(
        (36, 34, 44),
        lambda c, n: (np.abs(np.abs(c[:, 1]) - 0.17) < 0.016) & (np.hypot(c[:, 0], c[:, 2]) > 0.06),
    )
    end = Patch((176, 146, 200), lambda c, n: (np.abs(n[:, 1]) > 0.7) & (np.hypot(c[:, 0], c[:, 2]) < 0.045))
    mark = Patch((230, 224, 214), facing((0, 0, 1), (-0.045, 0.05, 0), (0.045, 0.13, FAR)))
    hollow = Patch((50, 40, 60), lambda c, n: np.hypot(c[:, 0], c[:, 2]) < 0.0185)
    along_x = frame_along(np.array([1.0, 0.0, 0.0]))
    solid = roll.placed((0, radius, 0), along_x)
    grips = [
        grip("roll", (0, radius, 0), (0, 1, 0), (1, 0, 0), radius=radius, length=2 * half),
        grip("plus_x", (half, radius + 0.04, 0), (1, 0, 0), (0, 0, 1)),
        grip("minus_x", (-half, radius + 0.04, 0), (-1, 0, 0), (0, 0, 1)),
        grip("front", (0, radius, radius), (0, 0, 1), (1, 0, 0), length=2 * half),
        grip("top", (0, 2 * radius, 0), (0, 1, 0), (1, 0, 0), length=2 * half),
        grip("bottom", (0, 0, 0), (0, -1, 0), (1, 0, 0), length=2 * half),
    ]
    group = SymmetryGroup(order=0, axis=(1.0, 0.0, 0.0), flip=(0.0, 1.0, 0.0))
    return Design([Part(solid, purple, (around, end, hollow, mark))], grips, group, (0, radius, 0))


def trashbin() -> Design:
    """A tapering waste bin, 34 cm high and 30 cm across its rim, open by a dark recess."""
    profile = (
        (0.0, 0.0),
        (0.108, 0.0),
        (0.114, 0.006),
        (0.136, 0.305),
        (0.150, 0.310),
        (0.150, 0.340),
        (0.134, 0.340),
        (0.128, 0.240),
        (0.0, 0.230),
    )
    solid = Lathe(profile=profile, segments=24, spacing=0.036)

    def opening(c: np.ndarray, n: np.ndarray) -> np.ndarray:
        outward = n[:, 0] * c[:, 0] + n[:, 2] * c[:, 2]
        return (c[:, 1] > 0.22) & (outward < 0.02) & (np.hypot(c[:, 0], c[:, 2]) < 0.1342)

    rim = Patch((60, 74, 70), lambda c, n: c[:, 1] > 0.306)
    badge = Patch((226, 226, 214), facing((0, 0, 1), (-0.05, 0.12, 0), (0.05, 0.22, FAR)))
    named = {"plus_x": (1, 0, 0), "minus_x": (-1, 0, 0), "front": (0, 0, 1), "back": (0, 0, -1)}
    grips = [grip("bottom", (0, 0, 0), (0, -1, 0), (1, 0, 0))]
    for name, (x, _, z) in named.items():
        across = (abs(z), 0, abs(x))
        grips.append(grip(name, (0.126 * x, 0.17, 0.126 * z), (x, -0.074, z), across))
        grips.append(grip(f"rim_{name}", (0.15 * x, 0.325, 0.15 * z), (x, 0, z), across))
    parts = [Part(solid, (108, 132, 122), (badge, rim, Patch((42, 44, 46), opening)))]
    return Design(parts, grips, SymmetryGroup(order=0))
