import numpy as np
import pytest
import trimesh
from scipy.spatial.distance import cdist

from rhobin.geometry import mesh
from rhobin.geometry.backend import nearest_distances

BOX = trimesh.creation.box((1.0, 2.0, 3.0))
BALL = trimesh.creation.icosphere(3, 0.5)
TORUS = trimesh.creation.torus(1.0, 0.3)


@pytest.mark.parametrize("shape", [BOX, BALL, TORUS])
def test_areas_and_normals_equal_trimesh(shape):
    verts, faces = np.asarray(shape.vertices), np.asarray(shape.faces)
    np.testing.assert_allclose(mesh.face_areas(verts, faces), shape.area_faces, rtol=1e-9)
    np.testing.assert_allclose(mesh.face_normals(verts, faces), shape.face_normals, atol=1e-7)


def test_vertex_normals_of_a_ball_point_outwards():
    verts, faces = np.asarray(BALL.vertices), np.asarray(BALL.faces)
    normals = mesh.vertex_normals(verts, faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert (np.einsum("nk,nk->n", normals, verts / 0.5) > 0.999).all()


def test_corner_normals_keep_edges_sharp_and_round_parts_smooth():
    verts, faces = np.asarray(BOX.vertices), np.asarray(BOX.faces)
    flat = mesh.corner_normals(verts, faces)
    np.testing.assert_allclose(flat, np.repeat(BOX.face_normals[:, None], 3, axis=1), atol=1e-12)
    verts, faces = np.asarray(BALL.vertices), np.asarray(BALL.faces)
    smooth = mesh.corner_normals(verts, faces)
    np.testing.assert_allclose(smooth, mesh.vertex_normals(verts, faces)[faces], atol=1e-12)


def test_moments_equal_those_of_a_dense_sample():
    rng = np.random.default_rng(5)
    verts = np.asarray(TORUS.vertices) * (1.0, 0.5, 2.0) + (0.3, -1.0, 0.2)
    centre, covariance = mesh.surface_moments(verts, np.asarray(TORUS.faces))
    points = mesh.sample_surface(verts, np.asarray(TORUS.faces), 400_000, rng)
    np.testing.assert_allclose(centre, points.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(covariance, np.cov(points.T), atol=0.01)


def test_samples_follow_the_area():
    verts, faces = np.asarray(BOX.vertices), np.asarray(BOX.faces)
    n = 60_000
    face_ids, weights = mesh.sample_barycentric(verts, faces, n, np.random.default_rng(3))
    expected = n * BOX.area_faces / BOX.area
    chi2 = ((np.bincount(face_ids, minlength=len(faces)) - expected) ** 2 / expected).sum()
    assert chi2 < 31.3, "chi-square of 11 degrees of freedom, p = 0.001"
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_samples_are_uniform_within_a_triangle():
    verts = np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0]])
    points = mesh.sample_surface(verts, np.array([[0, 1, 2]]), 40_000, np.random.default_rng(0))
    np.testing.assert_allclose(points.mean(axis=0), verts.mean(axis=0), atol=0.01)
    share = ((points[:, 0] < 1) & (points[:, 1] < 0.5)).mean()
    assert share == pytest.approx(0.5, abs=0.01), "the parallelogram at the right angle is half the triangle"


def test_sampling_refuses_a_surface_without_area():
    verts = np.zeros((3, 3))
    with pytest.raises(ValueError, match="positive finite area"):
        mesh.sample_surface(verts, np.array([[0, 1, 2]]), 5, np.random.default_rng(0))
    verts[0, 0] = np.nan
    with pytest.raises(ValueError, match="positive finite area"):
        mesh.sample_surface(verts, np.array([[0, 1, 2]]), 5, np.random.default_rng(0))


def test_chamfer_equals_brute_force():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 3)), rng.normal(size=(500, 3)) + 0.2
    distances = cdist(a, b)
    assert mesh.chamfer_sum(a, b) == pytest.approx(
        distances.min(axis=1).mean() + distances.min(axis=0).mean()
    )
    np.testing.assert_allclose(nearest_distances(a, b, "cpu"), distances.min(axis=1))
    assert mesh.chamfer_sum(a, a[::-1]) == 0
