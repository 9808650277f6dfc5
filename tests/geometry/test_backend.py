import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from rhobin.geometry import backend as backend_module
from rhobin.geometry.backend import backend, nearest_distances, rasterise
from rhobin.objects.catalogue import built_in

try:
    import pytorch3d  # noqa: F401
except ModuleNotFoundError:
    HAS_PYTORCH3D = False
else:
    HAS_PYTORCH3D = True

needs_pytorch3d = pytest.mark.skipif(not HAS_PYTORCH3D, reason="pytorch3d is not installed")


def test_choice_follows_the_machine(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    backend.cache_clear()
    assert backend().name == "cpu"
    assert "CUDA" in backend().reason
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "test card")
    monkeypatch.setattr(backend_module.importlib.util, "find_spec", lambda name: None)
    backend.cache_clear()
    assert backend().name == "cpu"
    assert "rhobin[p3d]" in backend().reason
    monkeypatch.setattr(backend_module.importlib.util, "find_spec", lambda name: object())
    backend.cache_clear()
    assert backend().name == "pytorch3d"
    assert "test card" in backend().reason
    backend.cache_clear()


def _clouds(seed):
    rng = np.random.default_rng(seed)
    return rng.normal((0, 0, 3), size=(300, 3)), rng.normal((0, 0.2, 3), size=(500, 3))


def test_nearest_equals_the_distance_matrix():
    a, b = _clouds(0)
    np.testing.assert_allclose(nearest_distances(a, b, "cpu"), cdist(a, b).min(axis=1), rtol=1e-12)


@needs_pytorch3d
def test_nearest_neighbours_agree():
    a, b = _clouds(1)
    ours, theirs = (nearest_distances(a, b, using) for using in ("cpu", "pytorch3d"))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert theirs.dtype == np.float64


def _posed(name, at):
    template = built_in(name)
    turn = np.array([[0.8, 0, 0.6], [0, -1, 0], [0.6, 0, -0.8]])
    return template.verts @ turn.T + at, template.faces


@pytest.mark.parametrize("name", ["chairwood", "boxlong", "trashbin"])
@needs_pytorch3d
def test_drawn_scenes_agree(name):
    """Two meshes that hide each other: the same mesh, triangle and depth at nearly every pixel."""
    meshes = [_posed(name, (0.1, -0.05, 2.0)), _posed("stool", (-0.2, 0.1, 2.3))]
    K = np.array([[120.0, 0, 50.3], [0, 118.0, 33.6], [0, 0, 1]])
    ours, theirs = (rasterise(meshes, K, 96, 72, using) for using in ("cpu", "pytorch3d"))
    seen = ours.geom_id >= 0
    assert set(ours.geom_id) == {-1, 0, 1}
    np.testing.assert_array_equal(theirs.geom_id >= 0, np.isfinite(theirs.distance))
    assert (ours.geom_id != theirs.geom_id).sum() <= 0.01 * seen.sum(), "centres on an edge may differ"
    same = seen & (ours.geom_id == theirs.geom_id) & (ours.prim_id == theirs.prim_id)
    assert same.sum() > 0.97 * seen.sum()
    np.testing.assert_allclose(ours.barycentric[same], theirs.barycentric[same], atol=2e-3)
    gap = np.abs(ours.distance[same] - theirs.distance[same])
    assert np.median(gap) < 1e-5
    assert gap.max() < 1e-3


@needs_pytorch3d
@pytest.mark.parametrize("using", ["cpu", "pytorch3d"])
def test_a_wall_s_depth_is_its_distance_and_its_border_is_where_it_projects(using):
    verts = np.array([[-1.0, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    K = np.array([[20.0, 0, 24.4], [0, 20.0, 15.4], [0, 0, 1]])
    depth = rasterise([(verts, faces)], K, 50, 32, using).distance.reshape(32, 50)
    columns, rows = np.isfinite(depth[15]).nonzero()[0], np.isfinite(depth[:, 24]).nonzero()[0]
    assert (columns[0], columns[-1], rows[0], rows[-1]) == (15, 34, 6, 25)
    np.testing.assert_allclose(depth[np.isfinite(depth)], 2.0, rtol=1e-6)


@needs_pytorch3d
@pytest.mark.parametrize("using", ["cpu", "pytorch3d"])
def test_what_reaches_behind_the_camera_is_drawn_in_front_of_it_only(using):
    floor = np.array([[-50.0, 1, -50], [50, 1, -50], [50, 1, 50], [-50, 1, 50]])
    K = np.array([[20.0, 0, 16], [0, 20.0, 16], [0, 0, 1]])
    drawn = rasterise([(floor, np.array([[0, 1, 2], [0, 2, 3]]))], K, 32, 33, using).distance.reshape(33, 32)
    assert not np.isfinite(drawn[:17]).any()
    np.testing.assert_allclose(drawn[18:], np.tile(20 / np.arange(2, 17)[:, None], 32), rtol=1e-3)
