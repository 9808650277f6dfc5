"""The mirror plane of shapes whose mirror images are known."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation
from trimesh import creation

from rhobin.objects.catalogue import built_in
from rhobin.objects.mirror_plane import LEFT_AND_RIGHT, find_mirror_plane
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.symmetry import shape_errors

TURN = Rotation.from_rotvec([0.3, -0.7, 1.1]).as_matrix()
HALF_A_DEGREE = 0.0175  # of the plane, which turns the reflection by twice that
MOVE = np.array([0.4, -0.2, 1.3])


def blocks(*corners):
    """Cubes of 10 cm side by side."""
    cubes = [creation.box((0.1, 0.1, 0.1)).apply_translation(0.1 * np.array(corner)) for corner in corners]
    return trimesh.util.concatenate(cubes)


CHIRAL = {
    "screw of four cubes": blocks((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)),
    "three blades": trimesh.util.concatenate([
        creation.box((0.02, 0.1, 0.4), transform=trimesh.transformations.rotation_matrix(a, (0, 0, 1)) @
                     trimesh.transformations.translation_matrix((0.15, 0, 0)) @
                     trimesh.transformations.rotation_matrix(0.6, (1, 0, 0)))
        for a in 2 * np.pi / 3 * np.arange(3)
    ]),
}  # fmt: skip


def find(mesh, **more):
    return find_mirror_plane(np.array(mesh.vertices, np.float64), np.array(mesh.faces, np.int64), **more)


def assert_keeps(verts, faces, plane, share=0.005):
    size = np.ptp(verts, axis=0).max()
    assert shape_errors(verts, faces, plane.S[None], plane.s[None])[0] < share * size
    np.testing.assert_allclose(plane.S @ plane.S, np.eye(3), atol=1e-9)
    assert np.linalg.det(plane.S) == pytest.approx(-1)
    np.testing.assert_allclose(plane.S @ plane.s, -plane.s, atol=1e-9)  # twice is nothing


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_built_in_objects_change_left_and_right(name):
    template = built_in(name)
    plane = find_mirror_plane(template.verts, template.faces)
    assert_keeps(template.verts, template.faces, plane)
    assert plane.S[0, 0] < -0.999


@pytest.mark.parametrize("name", ["backpack", "chairwood", "keyboard", "stool", "yogamat"])
def test_a_turned_and_moved_mesh_has_the_plane_too(name):
    """As of a scan, whose frame is any."""
    template = built_in(name)
    verts = 3 * template.verts @ TURN.T + MOVE
    plane = find_mirror_plane(verts, template.faces)
    assert_keeps(verts, template.faces, plane)
    if name in ("backpack", "chairwood", "keyboard"):
        normal = TURN @ LEFT_AND_RIGHT
        np.testing.assert_allclose(plane.S, np.eye(3) - 2 * np.outer(normal, normal), atol=HALF_A_DEGREE)


def test_an_l_of_blocks_has_the_plane_that_it_lies_in():
    plane = find(blocks((0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1)))
    np.testing.assert_allclose(plane.S, np.diag([-1.0, 1, 1]), atol=HALF_A_DEGREE)


def test_of_two_planes_the_one_nearer_to_left_and_right_is_taken():
    box = creation.box((0.1, 0.2, 0.3))
    turn = Rotation.from_euler("y", 30, degrees=True).as_matrix()
    box.apply_transform(np.block([[turn, np.zeros((3, 1))], [np.zeros((1, 3)), 1]]))
    np.testing.assert_allclose(find(box).S, turn @ np.diag([-1.0, 1, 1]) @ turn.T, atol=HALF_A_DEGREE)


def test_a_plane_that_fits_closely_comes_before_one_that_is_nearer_to_left_and_right():
    """A pan whose disc faces right: its handle, off the middle of that disc, would leave its place."""
    disc = creation.cylinder(0.12, 0.05, sections=64)
    handle = creation.box((0.5, 0.015, 0.01)).apply_translation((0.37, 0, 0.02))
    pan = trimesh.util.concatenate([disc, handle])
    pan.vertices = pan.vertices[:, [2, 0, 1]]
    np.testing.assert_allclose(find(pan).S, np.diag([1.0, 1, -1]), atol=HALF_A_DEGREE)


@pytest.mark.parametrize("name", CHIRAL)
def test_a_shape_that_differs_from_its_mirror_image_has_none(name):
    assert find(CHIRAL[name]) is None


def test_a_looser_tolerance_takes_what_a_tight_one_refuses():
    """A box with a handle at one of its corners."""
    handle = creation.box((0.06, 0.06, 0.06)).apply_translation((0.16, 0.05, 0.1))
    box = trimesh.util.concatenate([creation.box((0.3, 0.2, 0.4)), handle])
    assert find(box) is None
    assert find(box, tolerance=0.05) is not None


def test_a_mesh_without_area_is_refused():
    with pytest.raises(ValueError, match="area"):
        find_mirror_plane(np.zeros((3, 3)), np.array([[0, 1, 2]]))
