import numpy as np
import pytest
import torch

from rhobin.geometry import backend as backend_module
from rhobin.geometry.backend import backend, nearest, rasterise
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
    assert backend().name == "embree"
    assert "CUDA" in backend().reason
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "test card")
    monkeypatch.setattr(backend_module.importlib.util, "find_spec", lambda name: None)
    backend.cache_clear()
    assert backend().name == "embree"
    assert "rhobin[p3d]" in backend().reason
    monkeypatch.setattr(backend_module.importlib.util, "find_spec", lambda name: object())
    backend.cache_clear()
    assert backend().name == "pytorch3d"
    assert "test card" in backend().reason
    backend.cache_clear()


def test_nearest_equals_the_distance_matrix():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(3, 40, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, 70, 3, generator=generator, dtype=torch.float64)
    distance, index = nearest(a, b, using="embree")
    expected = torch.cdist(a, b).min(dim=2)
    torch.testing.assert_close(distance, expected.values.detach())
    torch.testing.assert_close(index, expected.indices)
    assert not distance.requires_grad


@needs_pytorch3d
def test_nearest_neighbours_agree():
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 300, 3, generator=generator), torch.randn(2, 500, 3, generator=generator)
    ours, theirs = nearest(a, b, using="embree"), nearest(a, b, using="pytorch3d")
    torch.testing.assert_close(ours[0], theirs[0], atol=1e-6, rtol=1e-5)
    assert torch.equal(ours[1], theirs[1])


@pytest.mark.parametrize("name", ["chairwood", "boxlong", "trashbin"])
@needs_pytorch3d
def test_rasterisers_agree(name):
    template = built_in(name)
    turn = np.array([[0.8, 0, 0.6], [0, -1, 0], [0.6, 0, -0.8]])
    verts = torch.from_numpy(template.verts @ turn.T + (0.1, -0.05, 2.0)).float()
    faces = torch.from_numpy(template.faces)
    K = torch.tensor([[120.0, 0, 50.3], [0, 118.0, 33.6], [0, 0, 1]])
    depth, index = rasterise(verts, faces, K, 96, 72, using="embree")
    depth3d, index3d = rasterise(verts, faces, K, 96, 72, using="pytorch3d")
    seen, seen3d = torch.isfinite(depth), torch.isfinite(depth3d)
    assert seen.sum() > 200
    assert torch.equal(seen, index >= 0)
    assert torch.equal(seen3d, index3d >= 0)
    assert (seen != seen3d).sum() <= 0.005 * seen.sum(), "pixels whose centre lies on an edge may differ"
    both = seen & seen3d
    gap = (depth - depth3d)[both].abs()
    assert gap.median() < 1e-5
    assert (gap > 1e-3).sum() <= 0.01 * both.sum()


def test_rasterised_depth_of_a_wall_is_its_distance_and_its_border_is_where_it_projects():
    verts = torch.tensor([[-1.0, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2]])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    K = torch.tensor([[20.0, 0, 24.4], [0, 20.0, 15.4], [0, 0, 1]])
    depth, index = rasterise(verts, faces, K, 50, 32, using="embree")
    columns = torch.isfinite(depth[15]).nonzero()[:, 0]
    rows = torch.isfinite(depth[:, 24]).nonzero()[:, 0]
    assert (columns[0], columns[-1], rows[0], rows[-1]) == (15, 34, 6, 25)
    torch.testing.assert_close(depth[index >= 0], torch.full((int((index >= 0).sum()),), 2.0))
