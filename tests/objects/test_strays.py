"""Distances of a turned surface to itself, against closed forms."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from trimesh import creation

from rhobin.objects.strays import Surface

BOX = creation.box((0.4, 0.2, 0.1)).subdivide()


def surface_of(mesh):
    return Surface(np.array(mesh.vertices, np.float64), np.array(mesh.faces, np.int64))


def test_distances_to_a_sphere_are_radii_less_its_own():
    points = np.random.default_rng(0).normal(size=(500, 3)) * 0.1
    sphere = creation.icosphere(5, 0.1)
    truth = np.abs(np.linalg.norm(points, axis=1) - 0.1)
    np.testing.assert_allclose(surface_of(sphere).distances(points), truth, atol=5e-4)


def test_a_half_turn_keeps_a_box_and_a_quarter_turn_does_not():
    turns = Rotation.from_rotvec(np.pi * np.array([[1.0, 0, 0], [0.5, 0, 0]])).as_matrix()
    surface = surface_of(BOX)
    mean, peak = surface.strays(turns, np.zeros(3))
    assert mean[0] < 5e-5
    assert peak[0] < 5e-4
    # the quarter turn moves the wide faces 5 cm out of the box but for their middle, narrow ones into it
    assert 0.02 < mean[1] < 0.05
    assert peak[1] == pytest.approx(0.05, abs=2e-3)
    np.testing.assert_allclose(surface.across(turns, np.zeros(3)), np.hypot(0.2, 0.1), rtol=0.05)


def test_rough_distances_are_never_too_large():
    turns = Rotation.random(20, random_state=1).as_matrix()
    surface = surface_of(BOX)
    rough, fine = (surface.strays(turns, surface.centre, rough)[0] for rough in (True, False))
    assert (rough <= fine).all()
    assert (rough > 0.5 * fine).all()


def test_refining_finds_the_axis_and_the_centre_again():
    turn = Rotation.from_rotvec([0.05, -0.08, 0.03]).as_matrix()
    half = Rotation.from_rotvec(np.pi * np.eye(3)).as_matrix()
    surface = surface_of(BOX)
    found, centre = surface.refine(turn @ half @ turn.T, np.array([0.01, -0.01, 0.005]))
    again = found @ turn @ half @ turn.T @ found.T
    assert np.degrees(Rotation.from_matrix(again.transpose(0, 2, 1) @ half).magnitude()).max() < 0.05
    assert np.abs(centre).max() < 5e-5
