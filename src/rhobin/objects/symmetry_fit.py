"""A symmetry group laid on a surface: how well it fits, and where it fits best."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.objects.strays import Surface
from rhobin.objects.symmetry import Rotations, SymmetryGroup

PEAK_RATIO = 4.0  # what 2 % of the surface exceed may be so many times the mean that is allowed
REFINED_BY = 5  # members of a group that its axes and centre are fitted to

Centre = Float[np.ndarray, "3"]


@dataclass(frozen=True, eq=False)
class Fit:
    """A group laid on a shape, and how far its worst member takes the shape from itself.

    Attributes:
        group: the rotations.
        centre: (3,) about which they turn, in the mesh's frame and unit.
        error: mean distance over the surface, in the mesh's unit.
        share: of that distance in the diameter about the member's axis.
        peak: share that 2 % of the surface exceed.
    """

    group: SymmetryGroup
    centre: Centre
    error: float = 0.0
    share: float = 0.0
    peak: float = 0.0

    def within(self, tolerance: float) -> bool:
        """Whether the surface keeps its place to a share of its diameter, four times that at its peak."""
        return within(self.share, self.peak, tolerance)


def within(share: float, peak: float, tolerance: float) -> bool:
    """Whether a mean share and the one that 2 % of the surface exceed are small enough; see `Fit.within`."""
    return share <= tolerance and peak <= PEAK_RATIO * tolerance


def laid(surface: Surface, group: SymmetryGroup, centre: Centre, rough: bool = False) -> Fit:
    """How a group about a centre (3,) fits a surface; rough: by its grid, never worse than it does."""
    members = _members(group)
    if not len(members):
        return Fit(group, centre)
    (mean, peak), across = surface.strays(members, centre, rough), surface.across(members, centre)
    worst = int(np.argmax(mean / across))
    return Fit(
        group, centre, float(mean[worst]), float(mean[worst] / across[worst]), float((peak / across).max())
    )


def refined(surface: Surface, group: SymmetryGroup, centre: Centre, rough: bool = False) -> Fit:
    """A group turned and shifted so that it fits a surface best, starting from a centre (3,)."""
    members = _members(group)
    some = members[np.unique(np.linspace(0, len(members) - 1, REFINED_BY).astype(int))]
    turn, centre = surface.refine(some, centre, rough)
    return laid(surface, group.turned(turn), centre, rough)


def _members(group: SymmetryGroup) -> Rotations:
    """The rotations without identity; random ones of the sphere, for an icosahedron is none."""
    return Rotation.random(60, random_state=0).as_matrix() if group.sphere else group.rotations()[1:]
