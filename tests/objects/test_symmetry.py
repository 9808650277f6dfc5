import numpy as np
import pytest

from rhobin.objects.primitives import Box
from rhobin.objects.symmetry import (
    ASYMMETRIC,
    BALL,
    CUBOID,
    SymmetryGroup,
    icosahedral_rotations,
    offsets,
    shape_errors,
)

GROUPS = {
    "none": (ASYMMETRIC, 1),
    "cuboid": (CUBOID, 4),
    "four-fold": (SymmetryGroup(order=4), 4),
    "vessel": (SymmetryGroup(order=0), 36),
    "roll": (SymmetryGroup(order=0, axis=(1.0, 0.0, 0.0), flip=(0.0, 1.0, 0.0)), 72),
    "ball": (BALL, 60),
}


@pytest.mark.parametrize("name", GROUPS)
def test_rotations_form_a_group(name):
    group, size = GROUPS[name]
    rotations = group.rotations()
    assert len(rotations) == size
    np.testing.assert_array_equal(rotations[0], np.eye(3))
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.eye(3)[None].repeat(size, 0), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    flat = rotations.reshape(size, 9)
    products = np.einsum("aij,bjk->abik", rotations, rotations).reshape(-1, 9)
    gaps = np.abs(products[:, None] - flat[None]).max(axis=2)
    assert gaps.min(axis=1).max() < 1e-9, "not closed"
    assert (gaps < 1e-6).sum(axis=1).max() == 1, "a rotation twice"


def test_icosahedral_rotations_have_the_right_classes():
    cosine = (np.trace(icosahedral_rotations(), axis1=1, axis2=2) - 1) / 2
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1))).round()
    assert dict(zip(*np.unique(angles, return_counts=True), strict=True)) == {
        0: 1,
        72: 12,
        120: 20,
        144: 12,
        180: 15,
    }


def test_a_turned_group_belongs_to_the_turned_shape():
    turn = SymmetryGroup(order=7, axis=(1.0, 0.0, 0.0)).rotations()[1] @ SymmetryGroup(order=5).rotations()[1]
    turned = CUBOID.turned(turn).rotations()
    np.testing.assert_allclose(turned, turn @ CUBOID.rotations() @ turn.T, atol=1e-12)


def test_offsets_fix_the_centre():
    rotations, centre = CUBOID.rotations(), np.array([0.1, -0.2, 0.3])
    moved = rotations @ centre + offsets(rotations, centre)
    np.testing.assert_allclose(moved, np.tile(centre, (4, 1)))


def test_shape_errors_tell_a_symmetry_from_another_turn():
    verts, faces = Box(size=(0.5, 0.3, 0.2), spacing=0.03).mesh()
    half_turn, quarter = CUBOID.rotations()[1], SymmetryGroup(order=4).rotations()[1]
    turns = np.stack([half_turn, quarter, half_turn])
    shifts = np.array([[0.0, 0, 0], [0, 0, 0], [0.05, 0, 0]])
    kept, turned, shifted = shape_errors(verts, faces, turns, shifts)
    assert kept < 1e-4
    assert turned > 0.03
    assert shifted > 0.005
