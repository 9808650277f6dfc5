"""Points of a body's surface, posed without the mesh, against the posed mesh."""

import numpy as np
import pytest
import torch

from rhobin.body.joints import SMPLH_NAMES
from rhobin.body.load import load_bodies
from rhobin.body.surface_points import PARTS, SurfacePoints, part_of_joint, spread
from rhobin.geometry.mesh import face_areas
from rhobin.geometry.rotation import rotvec_to_rotmat


@pytest.fixture(scope="module")
def bodies32():
    return load_bodies()


@pytest.fixture(scope="module")
def surface(bodies32):
    return SurfacePoints(bodies32, 500)


def poses(count, bend=0.4):
    rng = torch.Generator().manual_seed(0)
    theta = torch.randn(count, 52, 3, generator=rng) * bend
    theta[:, 22:] *= 0.2
    beta, trans = torch.randn(count, 10, generator=rng), torch.randn(count, 3, generator=rng)
    return rotvec_to_rotmat(theta), beta, trans, torch.arange(count) % 3


def test_posed_points_lie_on_the_posed_mesh(bodies32, surface):
    theta, beta, trans, gender = poses(4)
    posed, mesh = surface(theta, beta, trans, gender), bodies32(theta, beta, trans, gender)
    assert torch.allclose(posed.joints, mesh.joints, atol=1e-5)
    faces = bodies32.faces
    for points, normals, verts in zip(posed.points, posed.normals, mesh.verts, strict=True):
        corners = verts[faces]
        nearest = torch.cdist(points, corners.mean(1)).topk(30, dim=1, largest=False).indices
        across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        across = torch.nn.functional.normalize(across, dim=-1)
        off = ((points[:, None] - corners[nearest, 0]) * across[nearest]).sum(-1).abs().amin(1)
        assert off.median() < 2e-4
        assert off.quantile(0.95) < 2e-3
        assert ((normals[:, None] * across[nearest]).sum(-1).amax(1) > 0.9).float().mean() > 0.95


def test_a_body_is_the_same_in_any_batch(surface):
    theta, beta, trans, gender = poses(5)
    together = surface(theta, beta, trans, gender)
    alone = surface(theta[3:4], beta[3:4], trans[3:4], gender[3:4])
    assert torch.allclose(together.points[3:4], alone.points, atol=1e-6)


def test_every_part_has_points_and_left_is_left(bodies32, surface):
    assert set(surface.part.tolist()) == set(range(len(PARTS)))
    rest = surface(*(value[:1] for value in poses(1, bend=0.0)[:2]), torch.zeros(1, 3), torch.zeros(1).long())
    x = rest.points[0, :, 0]
    for number, name in enumerate(PARTS):
        if name.startswith(("left", "right")):
            assert (x[surface.part == number].mean() > 0) == name.startswith("left")
    parts = part_of_joint(next(iter(bodies32)))
    assert PARTS[parts[SMPLH_NAMES.index("left_thumb3")]] == "left_hand"


def test_points_are_spread_by_area(bodies32):
    model = next(iter(bodies32))
    verts, faces = model.template.view(-1, 3).double().numpy(), model.faces.numpy()
    corners, shares, area = spread(verts, faces, 4000, np.random.default_rng(0))
    share = face_areas(verts, faces)
    assert area == pytest.approx(share.sum())
    assert np.allclose(shares.sum(1), 1)
    high = np.take(verts[:, 1], corners).mean(1) > 0
    own = verts[faces][..., 1].mean(1) > 0
    assert high.mean() == pytest.approx(share[own].sum() / area, abs=0.005)
