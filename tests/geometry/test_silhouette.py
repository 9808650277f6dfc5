"""How silhouettes change with a pose, beside finite differences of silhouettes that rays draw finely."""

import numpy as np
import pytest
import torch

from rhobin.geometry.backend import rasterise
from rhobin.geometry.camera import project
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.geometry.silhouette import RigidMesh, dilated, dilated_pull, outline_pull, shown_points
from rhobin.objects.catalogue import built_in

SIZE, FINE = 64, 8
K = np.array([[150.0, 0, 31.5], [0, 150.0, 31.5], [0, 0, 1]])
NAMES = ("backpack", "chairwood", "boxlong")


@pytest.fixture(scope="module")
def templates():
    return {name: built_in(name) for name in NAMES}


def pose_of(values):
    """A pose of seven numbers: rotation vector, translation, size."""
    return rotvec_to_rotmat(values[:3])[None], values[3:6][None], values[6:]


def slope_of(template, values, weight):
    """The gradient of the weighted sum over a silhouette by seven numbers."""
    mesh = RigidMesh(template.verts, template.faces)
    values = values.clone().requires_grad_()
    R, t, scale = pose_of(values)
    drawn = mesh.draw(R, t, scale, K, SIZE)
    pull = outline_pull(drawn.covered, weight[None])
    where = (pull != 0).any(-1)
    _, points = shown_points(drawn, torch.from_numpy(template.verts), torch.from_numpy(template.faces), where)
    pixels = project(scale * (points @ R[0].mT) + t, torch.from_numpy(K))
    (pull[where] * pixels).sum().backward()
    return values.grad


def fine_sum(template, values, weight):
    """The weighted sum over the silhouette, drawn 8 times as fine, in coarse pixels."""
    R, t, scale = pose_of(values)
    shift = (FINE - 1) / 2
    fine = np.array([[FINE, 0, shift], [0, FINE, shift], [0, 0, 1]]) @ K
    verts = (scale * (torch.from_numpy(template.verts) @ R[0].mT) + t).numpy()
    hits = rasterise([(verts, template.faces)], fine, SIZE * FINE, SIZE * FINE)
    covered = torch.from_numpy(hits.geom_id >= 0).reshape(SIZE, FINE, SIZE, FINE).double().mean((1, 3))
    return float((covered * weight).sum())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("smooth", [False, True])
def test_the_slope_is_that_of_a_finely_drawn_silhouette(templates, name, smooth):
    """Of the area, and of a weight that changes its sign across the picture, as that of an IoU does."""
    template = templates[name]
    values = torch.tensor([0.4, -0.7, 0.3, 0.05, -0.03, 2.8, 1.0], dtype=torch.float64)
    weight = torch.ones(SIZE, SIZE, dtype=torch.float64)
    if smooth:
        row = torch.arange(SIZE, dtype=torch.float64)
        weight = torch.cos(row / 9)[:, None] + torch.sin(row / 7)
    found, expected = slope_of(template, values, weight), []
    for place, step in enumerate((0.04, 0.04, 0.04, 0.02, 0.02, 0.08, 0.02)):
        change = torch.zeros(7, dtype=torch.float64)
        change[place] = step
        sums = [fine_sum(template, values + sign * change, weight) for sign in (1, -1)]
        expected.append((sums[0] - sums[1]) / (2 * step))
    expected = torch.tensor(expected, dtype=torch.float64)
    cosine = torch.cosine_similarity(found, expected, dim=0)
    assert cosine > 0.97
    assert (found - expected).norm() < 0.25 * expected.norm()


def test_a_drawing_is_that_of_the_posed_mesh(templates):
    template = templates["chairwood"]
    values = torch.tensor([0.4, -0.7, 0.3, 0.08, -0.05, 2.5, 1.2], dtype=torch.float64)
    R, t, scale = pose_of(values)
    drawn = RigidMesh(template.verts, template.faces).draw(R, t, scale, K, SIZE)
    verts = (scale * (torch.from_numpy(template.verts) @ R[0].mT) + t).numpy()
    hits = rasterise([(verts, template.faces)], K, SIZE, SIZE)
    same = drawn.covered[0].flatten().numpy() == (hits.geom_id >= 0)
    assert same.mean() > 0.999
    both = drawn.covered[0].flatten().numpy() & (hits.geom_id >= 0)
    np.testing.assert_allclose(drawn.depth[0].flatten().numpy()[both], hits.distance[both], atol=2e-3)
    _, points = shown_points(
        drawn, torch.from_numpy(template.verts), torch.from_numpy(template.faces), drawn.covered
    )
    posed = scale * (points @ R[0].mT) + t
    rows, columns = drawn.covered[0].nonzero().double().unbind(1)
    seen = project(posed, torch.from_numpy(K))
    assert (seen - torch.stack((columns, rows), dim=1)).abs().max() < 0.01


def test_a_dilated_silhouette_moves_with_the_one_that_it_was_grown_from():
    """A square of 10 pixels, grown by 3: a step to the right gives up a column and takes one."""
    covered = torch.zeros(1, 40, 40, dtype=torch.bool)
    covered[0, 15:25, 12:22] = True
    weight = torch.arange(40.0).expand(1, 40, 40)
    grown, source = dilated(covered.float(), 7)
    pull = dilated_pull(covered, grown > 0, source, weight)
    moved = (torch.roll(grown, 1, 2) * weight).sum() - (grown * weight).sum()
    assert pull[..., 0].sum() == moved
    assert ((pull != 0).any(-1) & ~covered).sum() == 0
    hidden = covered.clone()
    hidden[0, :, 20:] = False  # something hides the right end, which does not move when the square does
    grown, source = dilated(hidden.float(), 7)
    pull = dilated_pull(covered, grown > 0, source, weight)
    assert (pull[0, :, 18:, 0] <= 0).all()
