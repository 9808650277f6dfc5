"""The rotational symmetry of a mesh, found from its surface alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.geometry.mesh import Faces, Verts
from rhobin.objects.canonical import nearest_member
from rhobin.objects.strays import Surface
from rhobin.objects.symmetry import ASYMMETRIC, BALL, SymmetryGroup
from rhobin.objects.symmetry_fit import Centre, Fit, laid, refined

TOLERANCE = 0.005  # of the diameter about the axis, in the mean over the surface
NEAR = 0.02  # turns that stray by a larger share are not told
ORDERS = range(16, 1, -1)  # a regular polygon of more corners is round to within the tolerance
SOME_ORDER = 7  # its first turn is tried before all those of a continuous axis are
PRIMES = (2, 3, 5, 7, 11, 13)  # an axis of any order in `ORDERS` has one of these too
DIRECTIONS = 1500
APART_DEG = 11.0
AXES_PER_PRIME = 16
SAME_AXIS_DEG = 3.0
TOLD_APART_DEG = 15.0
SAME_TURN_DEG = 6.0
REFUSED_TOLD = 3


@dataclass(frozen=True)
class FoundSymmetry:
    """What was found.

    Attributes:
        best: the symmetry that fits.
        refused: turns about one axis that almost fit, the best first.
        beyond: turns that fit and are not in the group, since no `SymmetryGroup` has all (a cube's).
    """

    best: Fit
    refused: tuple[Fit, ...] = ()
    beyond: tuple[Fit, ...] = ()


def find_symmetry(verts: Verts, faces: Faces, tolerance: float = TOLERANCE) -> FoundSymmetry:
    """Find the rotations that keep a shape: cyclic, dihedral, continuous, all or none.

    Turns by 1/2, 1/3, 1/5, ... of a circle about 1500 axes are tried in a distance grid. The best are
    refined, axis and centre, on the surface itself; then each axis takes the highest order that fits.

    Args:
        verts: (V, 3) vertices, any unit and frame.
        faces: (F, 3) triangles; the surface may be open.
        tolerance: how far a turn may take the surface from itself, as a share of the diameter about its
            axis: in the mean, and four times as far on all but 2 % of the surface.

    Returns:
        The largest group that fits, with its centre.

    Raises:
        ValueError: the surface has no area.
    """
    surface = Surface(verts, faces)
    ball = refined(surface, BALL, surface.centre)
    if ball.within(tolerance):
        return FoundSymmetry(ball)
    tried = _axes(surface, max(tolerance, NEAR))
    axes = [_highest(surface, axis, tolerance) for axis in tried]
    fitting = sorted((own for own, _ in axes if own.within(tolerance)), key=lambda fit: _rank(surface, fit))
    best = next(
        (fit for fit in _groups(surface, fitting) if fit.within(tolerance)), Fit(ASYMMETRIC, surface.centre)
    )
    told = _apart(tried, np.inf, TOLD_APART_DEG)
    refused = [fit for axis, (_, fit) in zip(tried, axes, strict=True) if fit is not None and axis in told]
    beyond = [fit for fit in fitting if fit.group.order != 2 and not _contains(best.group, fit.group)]
    return FoundSymmetry(
        best, tuple(sorted(refused, key=lambda fit: fit.share)[:REFUSED_TOLD]), tuple(beyond)
    )


def _axes(surface: Surface, tolerance: float) -> list[Fit]:
    """Axes about which turns by some share of a circle fit, each one once, the best first."""
    fine = []
    for prime in PRIMES:
        starts = [SymmetryGroup(prime, axis) for axis in _rough_axes(surface, prime)]
        rough = [refined(surface, group, surface.centre, rough=True) for group in starts]
        fine += [refined(surface, fit.group, fit.centre) for fit in _apart(rough, tolerance)]
    return _apart(fine, tolerance)


def _apart(fits: list[Fit], tolerance: float, apart_deg: float = SAME_AXIS_DEG) -> list[Fit]:
    """Of fits about one axis each, the best first, those within a tolerance whose axis no better one has."""
    kept: list[Fit] = []
    for fit in sorted(fits, key=lambda fit: fit.share):
        if fit.share <= tolerance and all(_apart_deg(fit.group.axis, k.group.axis) > apart_deg for k in kept):
            kept.append(fit)
    return kept


def _rough_axes(surface: Surface, order: int) -> Iterator[tuple[float, float, float]]:
    """Directions, apart from each other, about which turns by 1/order of a circle stray least."""
    tried = directions(surface)
    turns = Rotation.from_rotvec(2 * np.pi / order * tried).as_matrix()
    for best in best_directions(tried, surface.rough(turns), AXES_PER_PRIME):
        best = best * np.sign(best[np.argmax(np.abs(best))])
        yield float(best[0]), float(best[1]), float(best[2])


def best_directions(
    tried: Float[np.ndarray, "N 3"], error: Float[np.ndarray, " N"], count: int
) -> Iterator[Float[np.ndarray, "3"]]:
    """The directions of least error, the best first, each apart from those before it."""
    left = error.copy()
    for _ in range(count):
        best = tried[np.argmin(left)]
        left[np.abs(tried @ best) > np.cos(np.deg2rad(APART_DEG))] = np.inf
        yield best


def directions(surface: Surface) -> Float[np.ndarray, "N 3"]:
    """Principal axes, then directions spread over half a sphere (N, 3)."""
    height = (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    angle, radius = np.pi * (1 + np.sqrt(5)) * np.arange(DIRECTIONS), np.sqrt(1 - height**2)
    spread = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    return np.concatenate([np.linalg.svd(surface.followed - surface.centre)[2], spread])


def _highest(surface: Surface, fit: Fit, tolerance: float) -> tuple[Fit, Fit | None]:
    """Of all orders about an axis, the highest that fits, and the highest that almost does."""
    refused = None
    for order in (0, *ORDERS):
        group = SymmetryGroup(order, fit.group.axis)
        limit = tolerance if refused else max(tolerance, NEAR)
        one = SymmetryGroup(order or SOME_ORDER, fit.group.axis).rotations()[1:2]
        if surface.strays(one, fit.centre)[0] > limit * surface.across(one, fit.centre):
            continue
        tried = laid(surface, group, fit.centre)
        if tried.within(tolerance):
            return tried, refused
        if refused is None and tried.share <= max(tolerance, NEAR):
            refused = tried
    return fit, refused


def _rank(surface: Surface, fit: Fit) -> tuple[float, float]:
    """Higher orders come first, and longer axes among equal ones."""
    return -float(fit.group.order or np.inf), -float(np.ptp(surface.followed @ np.asarray(fit.group.axis)))


def _groups(surface: Surface, fitting: list[Fit]) -> Iterator[Fit]:
    """Groups of fitting axes, the largest first: each axis alone, and with half turns across it."""
    starts = [(fit.group, fit.centre) for fit in fitting]
    for main in fitting:
        right = [o for o in fitting if abs(90 - _apart_deg(main.group.axis, o.group.axis)) < SAME_AXIS_DEG]
        halved = [other for other in right if other.group.order % 2 == 0]
        if halved:
            other = max(halved, key=lambda fit: round(max(np.abs(fit.group.axis)), 3))
            starts.append((_dihedral(main.group, np.asarray(other.group.axis)), _meeting(main, other)))
    for group, centre in sorted(starts, key=lambda start: -len(start[0].rotations())):
        yield refined(surface, group, centre)


def _dihedral(group: SymmetryGroup, across: Float[np.ndarray, "3"]) -> SymmetryGroup:
    axis = np.asarray(group.axis)
    x, y, z = (across - (across @ axis) * axis) / np.linalg.norm(np.cross(across, axis))
    return SymmetryGroup(group.order, group.axis, (float(x), float(y), float(z)))


def _meeting(main: Fit, other: Fit) -> Centre:
    """The point of the main axis that is nearest to another one's centre."""
    axis = np.asarray(main.group.axis)
    return main.centre + ((other.centre - main.centre) @ axis) * axis


def _contains(group: SymmetryGroup, cyclic: SymmetryGroup) -> bool:
    """Whether a group has the turns of another one, to within what axes are known to."""
    for turn in cyclic.rotations()[1:2]:
        gap = nearest_member(group, turn.T).T @ turn
        return bool(np.degrees(np.linalg.norm(Rotation.from_matrix(gap).as_rotvec())) <= SAME_TURN_DEG)
    return True


def _apart_deg(a: object, b: object) -> float:
    """Angle between two lines."""
    return float(np.degrees(np.arccos(np.clip(abs(np.asarray(a) @ np.asarray(b)), 0, 1))))
