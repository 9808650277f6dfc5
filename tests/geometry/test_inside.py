"""Points inside bodies, against balls, boxes and every triangle; and the distances that follow."""

import numpy as np
import pytest
import torch
import trimesh
from trimesh.proximity import closest_point_naive

from rhobin.body.load import load_body
from rhobin.geometry.inside import inside, surface_distances
from rhobin.metrics.contact import frame_contact
from rhobin.metrics.posing import skinned

BALL = trimesh.creation.icosphere(4, 0.5)


def mesh_of(mesh) -> tuple[np.ndarray, np.ndarray]:
    return np.array(mesh.vertices), np.array(mesh.faces)


def test_a_ball_holds_what_is_nearer_than_its_radius():
    verts, faces = mesh_of(BALL)
    points = np.random.default_rng(0).uniform(-0.7, 0.7, (4000, 3))
    radius = np.linalg.norm(points, axis=1)
    clear = np.abs(radius - 0.5) > 0.003
    moved = np.array([3.0, -2.0, 4.0])
    found = inside(points + moved, verts + moved, faces)
    np.testing.assert_array_equal(found[clear], (radius < 0.5)[clear])


def test_a_hole_and_a_body_that_meets_itself_do_not_turn_inside_out():
    verts, faces = mesh_of(BALL)
    points = np.random.default_rng(1).uniform(-0.28, 0.28, (500, 3))
    assert inside(points, verts, faces[40:]).mean() > 0.98
    both = np.concatenate([verts, 0.3 * verts]), np.concatenate([faces, faces + len(verts)])
    shell = 0.4 * points / np.linalg.norm(points, axis=1, keepdims=True)
    assert inside(shell, *both).mean() > 0.8


@pytest.fixture(scope="module")
def person():
    body = load_body("male", None, torch.float64)
    return skinned(body, *(np.zeros((1, size)) for size in (156, 10, 3)))[0], body.faces.numpy()


def test_distances_to_a_person_are_those_of_every_triangle(person):
    verts, faces = person
    rng = np.random.default_rng(2)
    points = verts[rng.choice(len(verts), 25)] + rng.normal(0, 0.03, (25, 3))
    _, expected, _ = closest_point_naive(trimesh.Trimesh(verts, faces, process=False), points)
    np.testing.assert_allclose(surface_distances(points, verts, faces), expected, atol=1e-6)


def cube_above(gap: float):
    """Contact of a ball and a cube whose lower face is `gap` metres above its top; truly they touch."""
    (verts, faces), (corners, _) = mesh_of(BALL), mesh_of(trimesh.creation.box((0.2, 0.2, 0.2)).subdivide())
    corners = corners + np.array([0, 0, 0.6])
    grid = np.linspace(-0.1, 0.1, 81)
    lower = np.stack(np.meshgrid(grid, grid, [0.5], indexing="ij"), axis=-1).reshape(-1, 3)
    up = np.array([0, 0, gap])
    return frame_contact((verts, corners + up), (verts, corners), faces, lower + up, 0.05)


def test_depth_and_gap_are_how_far_a_cube_was_moved():
    apart, within = cube_above(0.04), cube_above(-0.008)
    assert apart.floating_mm == pytest.approx(40, abs=0.5)
    assert (apart.penetration_mm, apart.penetration_percent) == (0, 0)
    assert within.floating_mm == 0
    assert within.penetration_mm == pytest.approx(8, abs=0.5)
    disc = np.pi * (0.5**2 - 0.492**2)  # where the face cuts the ball
    assert within.penetration_percent == pytest.approx(100 * disc / 0.2**2, rel=0.1)
