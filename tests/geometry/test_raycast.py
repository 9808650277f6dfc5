import numpy as np
import pytest
import trimesh

from rhobin.geometry.raycast import Scene, camera_rays, interpolate

BALL = trimesh.creation.icosphere(3, 0.5)
AHEAD = np.asarray(BALL.vertices) + np.array([0.0, 0, 5])
BOX = trimesh.creation.box((0.6, 0.5, 0.4))
BOX.apply_translation((0.1, 0.2, 1.5))


def scene() -> Scene:
    return Scene([(BALL.vertices, BALL.faces), (BOX.vertices, BOX.faces)])


def random_rays(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    origins = rng.normal((0, 0, -3), 0.5, size=(n, 3))
    directions = rng.normal((0, 0, 1), 0.2, size=(n, 3))
    return origins.astype(np.float32), directions.astype(np.float32)


def first_distance(mesh: trimesh.Trimesh, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Every ray against every triangle in double precision: o + t d = a + u (b - a) + v (c - a)."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    columns = [np.broadcast_to(x, (len(origins), len(a), 3)) for x in (-directions[:, None], b - a, c - a)]
    system = np.stack(columns, axis=-1).astype(np.float64)
    t, u, v = np.moveaxis(np.linalg.solve(system, (origins[:, None] - a)[..., None])[..., 0], -1, 0)
    met = (t > 0) & (u >= 0) & (v >= 0) & (u + v <= 1)
    return np.where(met, t, np.inf).min(axis=1)


def test_hits_equal_exhaustive_intersection():
    origins, directions = random_rays(400)
    hits = scene().cast(origins, directions)
    distances = np.stack([first_distance(mesh, origins, directions) for mesh in (BALL, BOX)])
    met = np.isfinite(distances).any(axis=0)
    assert 40 < met.sum() < 360
    np.testing.assert_array_equal(hits.geom_id, np.where(met, distances.argmin(axis=0), -1))
    np.testing.assert_allclose(hits.distance, distances.min(axis=0), rtol=1e-4)
    assert set(np.unique(hits.geom_id)) == {-1, 0, 1}


def test_barycentric_weights_give_the_point_hit():
    origins, directions = random_rays()
    hits = Scene([(BALL.vertices, BALL.faces)]).cast(origins, directions)
    met = hits.geom_id == 0
    corners = BALL.vertices[BALL.faces[hits.prim_id[met]]]
    points = np.einsum("nk,nkc->nc", hits.barycentric[met], corners)
    np.testing.assert_allclose(points, (origins + directions * hits.distance[:, None])[met], atol=1e-5)


def test_interpolation_of_positions_gives_the_point_hit():
    rays = camera_rays(np.array([[300.0, 0, 50], [0, 300, 50], [0, 0, 1]]), 101, 101).reshape(-1, 3)
    hits = Scene([(AHEAD, BALL.faces)]).cast(np.zeros(3), rays)
    met = hits.geom_id == 0
    on_ball = type(hits)(*(value[met] for value in vars(hits).values()))
    points = interpolate(on_ball, np.asarray(BALL.faces), AHEAD)
    np.testing.assert_allclose(points, rays[met] * hits.distance[met, None], atol=1e-5)


def test_occluded_agrees_with_cast_and_respects_the_distance():
    origins, directions = random_rays()
    built = scene()
    hits = built.cast(origins, directions)
    np.testing.assert_array_equal(built.occluded(origins, directions), hits.geom_id >= 0)
    ordered = np.sort(hits.distance[hits.geom_id >= 0])
    reach = float(ordered[len(ordered) // 2 - 1 : len(ordered) // 2 + 1].mean())
    np.testing.assert_array_equal(built.occluded(origins, directions, reach), hits.distance < reach)
    np.testing.assert_array_equal(built.cast(origins, directions, reach).geom_id >= 0, hits.distance < reach)


def test_one_origin_serves_all_rays_and_double_precision_is_accepted():
    _, directions = random_rays(50)
    many = scene().cast(np.tile([[0.0, 0, -3]], (50, 1)), directions.astype(np.float64))
    one = scene().cast(np.array([0.0, 0, -3]), directions)
    np.testing.assert_array_equal(many.distance, one.distance)


def test_camera_rays_pass_through_pixel_centres_at_unit_depth():
    K = np.array([[300.0, 0, 41.5], [0, 310.0, 30.25], [0, 0, 1]])
    rays = camera_rays(K, 80, 60)
    assert rays.shape == (60, 80, 3)
    assert rays.dtype == np.float32
    pixels = rays @ K.T
    v, u = np.meshgrid(np.arange(60), np.arange(80), indexing="ij")
    np.testing.assert_allclose(pixels, np.stack([u, v, np.ones_like(u)], axis=-1), atol=1e-4)
    np.testing.assert_array_equal(camera_rays(K, 80, 60, box=(10, 20, 30, 45)), rays[20:45, 10:30])
    np.testing.assert_array_equal(camera_rays(K, 80, 60, box=(-5, 50, 200, 70)), rays[50:, :])


def test_camera_rays_of_a_turned_camera_lead_to_the_same_points():
    """Through K R, in the mesh's own frame: the distances and triangles of the mesh turned instead."""
    K = np.array([[300.0, 0, 41.5], [0, 310.0, 30.25], [0, 0, 1]])
    R = trimesh.transformations.euler_matrix(0.4, -1.1, 2.0)[:3, :3]
    t = np.array([0.05, -0.1, 3.0])
    turned = Scene([(BALL.vertices @ R.T + t, BALL.faces)]).cast(
        np.zeros(3), camera_rays(K, 80, 60).reshape(-1, 3)
    )
    own = Scene([(BALL.vertices, BALL.faces)]).cast(-t @ R, camera_rays(K @ R, 80, 60).reshape(-1, 3))
    met = turned.geom_id == 0
    assert 0 < met.sum() < met.size
    assert (met == (own.geom_id == 0)).mean() > 0.998
    both = met & (own.geom_id == 0)
    assert (turned.prim_id == own.prim_id)[both].mean() > 0.99
    np.testing.assert_allclose(turned.distance[both], own.distance[both], atol=1e-4)


def test_scene_names_the_broken_mesh():
    with pytest.raises(ValueError, match=r"mesh 1: faces name vertices .* 0 to 9"):
        Scene([(BALL.vertices, BALL.faces), (BALL.vertices[:10], BALL.faces)])
    with pytest.raises(ValueError, match="mesh 0: expected vertices"):
        Scene([(BALL.vertices[:, :2], BALL.faces)])
