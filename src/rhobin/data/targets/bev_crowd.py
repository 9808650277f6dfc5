"""BEV's targets of several people, whose centres it moves apart; rhobin's images show one person."""

import numpy as np


def moved_apart(
    centres: np.ndarray, radii: np.ndarray, occluded_by: np.ndarray, size: int, factor: float = 0.2
) -> np.ndarray:
    """Move people whose kernels overlap away from those that occlude them, both by half.

    Args:
        centres: (P, 2) x and y in a map that is two units wide, from -1.
        radii: (P,) of their kernels in cells.
        occluded_by: (P,) place of the person who occludes each; -1 for none.
        size: width of the map in cells.
        factor: share of the overlap that is removed.

    Returns:
        (P, 2) centres; pairs are treated in turn.
    """
    centres = centres.copy()
    for behind, before in enumerate(occluded_by):
        between = centres[before] - centres[behind]
        distance = np.linalg.norm(between) + 1e-4
        missing = (int(radii[before]) + int(radii[behind]) + 1) / size * 2 - distance
        if before >= 0 and missing > 0:
            step = factor * missing / distance * (between + 1e-4) / 2
            centres[behind] -= step
            centres[before] += step
    return centres


def kept_inside(centres: np.ndarray) -> np.ndarray:
    """Centres (P, 2) that lie in the map: clipped to [-1, 1], and from its very border to 0.96."""
    centres = centres.clip(-1, 1)
    return np.where(np.abs(centres) == 1, 0.96 * centres, centres)
