"""Normalised coordinates: the box counts, and the way back is exact."""

import numpy as np
import pytest

from rhobin.objects.catalogue import built_in
from rhobin.objects.nocs import from_nocs, nocs_box, to_nocs


@pytest.mark.parametrize("name", ["chairblack", "keyboard", "yogamat"])
def test_coordinates_fill_the_box(name):
    verts = built_in(name).verts
    box = nocs_box(verts)
    nocs = to_nocs(verts, box)
    np.testing.assert_allclose([nocs.min(axis=0), nocs.max(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)
    np.testing.assert_allclose(from_nocs(nocs, box), verts, atol=1e-12)


def test_without_its_centre_a_chair_would_leave_the_box():
    """Templates are centred on their vertex mean: GDR-Net's x / extent + 0.5 does not fit BEHAVE."""
    verts = built_in("chairblack").verts
    naive = verts / nocs_box(verts)[1] + 0.5
    assert naive.min() < -0.02 or naive.max() > 1.02


def test_a_cube_keeps_angles_and_turns_about_the_centre():
    template = built_in("tablesquare")
    box = nocs_box(template.verts, "cube")
    turn, shift = template.symmetries[1], template.symmetry_offsets[1]
    before, after = (to_nocs(x, box) - 0.5 for x in (template.verts, template.verts @ turn.T + shift))
    np.testing.assert_allclose(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1), atol=1e-9)
    assert np.ptp(to_nocs(template.verts, box), axis=0).max() == pytest.approx(1.0)
    assert len(set(box[1])) == 1
