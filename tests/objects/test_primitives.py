import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rhobin.geometry.mesh import face_normals, sample_surface
from rhobin.objects import bars
from rhobin.objects import primitives as P
from rhobin.objects.grids import icosahedron
from rhobin.objects.solid import Primitive

TURN = Rotation.from_rotvec([0.3, -0.7, 0.4]).as_matrix()

SOLIDS = {
    "box": P.Box(size=(0.3, 0.2, 0.1), cuts=((0.02, 0.03), (), ())),
    "rounded box": P.Box(size=(0.3, 0.2, 0.12), radius=0.03, spacing=0.008),
    "sphere": P.Sphere(radius=0.2, level=4),
    "cylinder": bars.cylinder(0.1, 0.3, segments=160),
    "frustum": bars.frustum(0.1, 0.2, 0.3, segments=160),
    "ring": bars.ring(0.2, 0.03, segments=160),
    "bowl": P.Lathe(profile=((0, 0), (0.1, 0), (0.15, 0.2), (0.13, 0.2), (0, 0.05)), segments=160),
    "rod": bars.rod((0, 0, 0), (0.1, 0.5, 0.2), 0.02, 0.01, segments=60),
    "tube": P.Tube(path=((0, 0, 0), (0, 0.2, 0), (0.02, 0.3, 0.02)), radius=0.02, segments=60, spacing=0.02),
    "beam": bars.beam((0, 0.1, 0), (0.2, 0.5, 0.1), 0.04, 0.02),
    "strip": P.Strip(path=((0, 0), (0.1, 0.01), (0.2, 0.04)), thickness=0.02, width=0.3),
}
"""Meshed so finely that the mesh stays within 1.6 mm of the exact solid."""

EXPECTED_VOLUME = {
    "box": 0.3 * 0.2 * 0.1,
    "sphere": 4 / 3 * np.pi * 0.2**3,
    "cylinder": np.pi * 0.01 * 0.3,
    "frustum": np.pi * 0.3 / 3 * (0.01 + 0.02 + 0.04),
}


def placed(name: str) -> Primitive:
    return SOLIDS[name].placed((0.3, -0.2, 0.5), TURN @ SOLIDS[name].rotation)


@pytest.mark.parametrize("name", SOLIDS)
def test_meshes_are_closed_and_face_outwards(name):
    verts, faces = placed(name).mesh()
    assert trimesh.Trimesh(verts, faces, process=False).is_volume, (
        "closed, consistently turned, volume above 0"
    )
    assert len(np.unique(verts.round(9), axis=0)) == len(verts)
    assert (np.linalg.norm(face_normals(verts, faces), axis=1) > 0.99).all(), "a triangle without area"


@pytest.mark.parametrize("name", EXPECTED_VOLUME)
def test_volumes(name):
    assert trimesh.Trimesh(*placed(name).mesh(), process=False).volume == pytest.approx(
        EXPECTED_VOLUME[name], rel=0.01
    )


@pytest.mark.parametrize("name", SOLIDS)
def test_distance_vanishes_on_the_mesh(name):
    solid = placed(name)
    points = sample_surface(*solid.mesh(), 3000, np.random.default_rng(0))
    assert np.abs(solid.sdf(points)).max() < 1.6e-3


@pytest.mark.parametrize("name", SOLIDS)
def test_distance_equals_a_dense_sampling_of_the_surface(name):
    solid = placed(name)
    verts, faces = solid.mesh()
    mesh = trimesh.Trimesh(verts, faces, process=False)
    points = np.random.default_rng(1).uniform(mesh.bounds[0] - 0.1, mesh.bounds[1] + 0.1, (300, 3))
    surface = sample_surface(verts, faces, 200_000, np.random.default_rng(2))
    expected = cKDTree(surface).query(points)[0]
    sign = np.where(mesh.contains(points), -1, 1)
    clear = expected > 2e-3
    np.testing.assert_allclose(solid.sdf(points)[clear], (sign * expected)[clear], atol=2.5e-3)


@pytest.mark.parametrize("name", SOLIDS)
def test_distance_is_lipschitz_and_bounds_hold_the_solid(name):
    solid = placed(name)
    rng = np.random.default_rng(4)
    a = rng.uniform(-1, 1, (2000, 3))
    b = a + rng.normal(scale=0.01, size=a.shape)
    steps = np.linalg.norm(a - b, axis=1)
    assert (np.abs(solid.sdf(a) - solid.sdf(b)) <= steps + 1e-12).all()
    inside = a[solid.sdf(a) < 0]
    assert ((inside >= solid.bounds[0]) & (inside <= solid.bounds[1])).all()


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_distance_moves_with_the_solid(centre, rotvec):
    turn = Rotation.from_rotvec(rotvec).as_matrix()
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 3))
    solid = SOLIDS["strip"]
    moved = solid.placed(centre, turn)
    np.testing.assert_allclose(moved.sdf(points @ turn.T + centre), solid.sdf(points), atol=1e-9)
    lifted = moved.moved(np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(lifted.sdf(points @ turn.T + centre + (0, 1, 0)), solid.sdf(points), atol=1e-9)


def test_box_cuts_are_grid_lines():
    verts, _ = P.Box(size=(0.4, 0.2, 0.2), cuts=((0.031, 0.075), (-0.01,), ())).mesh()
    assert {0.031, 0.075} <= set(verts[:, 0].round(9))
    assert -0.01 in set(verts[:, 1].round(9))


def test_icosahedron_is_regular():
    verts, faces = icosahedron()
    assert len(faces) == 20
    assert trimesh.Trimesh(verts, faces, process=False).is_volume
    edges = np.linalg.norm(verts[faces] - np.roll(verts[faces], 1, axis=1), axis=2)
    np.testing.assert_allclose(edges, edges[0, 0])
