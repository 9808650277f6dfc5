"""The plane in which an object is its own mirror image, found from its surface alone."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.geometry.mesh import Faces, Verts
from rhobin.objects.find_symmetry import APART_DEG, TOLERANCE, best_directions, directions
from rhobin.objects.strays import Surface
from rhobin.objects.symmetry_fit import within
from rhobin.objects.template import Template

ALIKE = 0.0005  # of the diameter: a plane that strays so much more than the best one fits as well
PLANES = 6  # of those that stray least by the grid, how many are laid on the surface itself
LEFT_AND_RIGHT = np.array([1.0, 0.0, 0.0])  # built-in templates have y up and +z in front


@dataclass(frozen=True, eq=False)
class MirrorPlane:
    """A reflection x -> S x + s that keeps a shape.

    Attributes:
        S: (3, 3) its matrix, determinant -1.
        s: (3,) its translation, in the mesh's unit.
        share: mean distance that it takes the surface from itself, in the diameter about the plane's normal.
        peak: share that 2 % of the surface exceed.
    """

    S: Float[np.ndarray, "3 3"]
    s: Float[np.ndarray, "3"]
    share: float
    peak: float

    def within(self, tolerance: float) -> bool:
        """Whether the surface keeps its place to a share of its diameter, four times that at its peak."""
        return within(self.share, self.peak, tolerance)


@cache
def mirror_plane(template: Template) -> MirrorPlane | None:
    """The reflection that keeps a template's shape; see `find_mirror_plane`. Found once for each template."""
    return find_mirror_plane(template.verts, template.faces)


def find_mirror_plane(verts: Verts, faces: Faces, tolerance: float = TOLERANCE) -> MirrorPlane | None:
    """Find a reflection that keeps a shape.

    The plane between left and right (x) of the mesh's own frame comes first. Where it does not fit to 0.05 %
    of the diameter, planes across 1500 directions are tried in a distance grid, and the best of them on the
    surface itself, where each is turned and shifted to fit.

    Args:
        verts: (V, 3) vertices, any unit and frame.
        faces: (F, 3) triangles; the surface may be open.
        tolerance: how far the reflection may take the surface from itself, as a share of the diameter about
            the plane's normal: in the mean, and four times as far on all but 2 % of the surface.

    Returns:
        Of the reflections that fit as well as the best, to 0.05 % of the diameter, the one that comes nearest
        to changing left and right; None where none fits.

    Raises:
        ValueError: the surface has no area.
    """
    surface = Surface(verts, faces)
    first = _laid(surface, LEFT_AND_RIGHT)
    if first.share <= ALIKE and first.within(tolerance):
        return first
    tried = directions(surface)
    normals = best_directions(tried, surface.rough(_reflections(tried)), PLANES)
    fits = [first, *(_laid(surface, normal) for normal in normals)]
    planes: list[MirrorPlane] = []
    for fit in sorted(fits, key=lambda fit: fit.share):
        if fit.within(tolerance) and all(_apart_deg(fit, better) > APART_DEG for better in planes):
            planes.append(fit)
    closest = [plane for plane in planes if plane.share <= planes[0].share + ALIKE]
    return min(closest, key=lambda plane: float(plane.S[0, 0]), default=None)


def _laid(surface: Surface, normal: Float[np.ndarray, "3"]) -> MirrorPlane:
    """The plane across a normal, turned and shifted to fit."""
    start = _reflections(normal[None])
    turn, point = surface.refine(start, surface.centre)
    S = turn @ start @ turn.T
    (mean, peak), across = surface.strays(S, point), surface.across(S, point)
    return MirrorPlane(S[0], point - S[0] @ point, float(mean[0] / across[0]), float(peak[0] / across[0]))


def _apart_deg(a: MirrorPlane, b: MirrorPlane) -> float:
    """Angle between two planes: half of that of the turn which their reflections make together."""
    return float(np.degrees(Rotation.from_matrix(a.S @ b.S).magnitude())) / 2


def _reflections(normals: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3 3"]:
    return np.eye(3) - 2 * normals[:, :, None] * normals[:, None, :]
