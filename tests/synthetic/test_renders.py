"""Rendered objects against the templates that they show."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.behave.renders import NOCS_ONE
from rhobin.behave.writers.templates import write_templates
from rhobin.objects.load import load_templates
from rhobin.synthetic.paint.materials import srgb_to_linear
from rhobin.synthetic.renders.embree import EmbreeRenderer
from rhobin.synthetic.renders.look import draw_look
from rhobin.synthetic.renders.poses import euler_grid, posed_views, stream
from rhobin.synthetic.renders.skin import skin_of

SIZE = 96


@pytest.fixture(scope="module")
def chair():
    return load_templates()["chairwood"]


def rendered(template, index=0, law="uniform"):
    views = posed_views(template, law, 0, SIZE, range(index, index + 1))
    rng = stream(0, template.name, index, 1)
    look = draw_look(rng, views.t[0])
    picture = EmbreeRenderer(template).render(views.R[0], views.t[0], views.K[0], SIZE, look, rng)
    return views, picture


@pytest.mark.parametrize("index", range(4))
def test_coordinates_project_onto_their_pixels(chair, index):
    views, picture = rendered(chair, index)
    rows, columns = np.nonzero(picture.mask)
    extent = np.ptp(chair.verts, axis=0).max()
    middle = (chair.verts.max(axis=0) + chair.verts.min(axis=0)) / 2
    points = (picture.nocs[rows, columns] / NOCS_ONE - 0.5) * extent + middle
    pixels = (points @ views.R[0].T + views.t[0]) @ views.K[0].T
    assert np.abs(pixels[:, :2] / pixels[:, 2:] - np.stack([columns, rows], axis=1)).max() < 0.02


def test_mask_is_the_silhouette_and_fills_two_thirds(chair):
    views, picture = rendered(chair)
    pixels = (chair.verts @ views.R[0].T + views.t[0]) @ views.K[0].T
    fine, shift = 8, 6
    drawn = np.zeros((fine * SIZE, fine * SIZE), np.float32)
    for face in fine * (pixels[chair.faces][..., :2] / pixels[chair.faces][..., 2:] + 0.5) - 0.5:
        cv2.fillConvexPoly(drawn, np.rint(face * 2**shift).astype(np.int32), 1.0, shift=shift)
    share = cv2.resize(drawn, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert (picture.mask[share > 0.97] == 255).all()
    assert (picture.mask[share < 0.1] == 0).all()
    assert (share > 0.97).sum() > 500
    assert (picture.nocs[picture.mask == 0] == 0).all()
    rows, columns = np.nonzero(picture.mask)
    assert max(np.ptp(rows), np.ptp(columns)) == pytest.approx(SIZE / 1.5, abs=2.5)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(SIZE / 2, abs=1.5)


def test_colours_lie_on_the_object_and_just_around_it(chair):
    _, picture = rendered(chair)
    far = cv2.dilate(picture.mask, np.ones((11, 11), np.uint8)) == 0
    assert (picture.color[far] == 0).all()
    assert picture.color[picture.mask > 0].mean() > 20
    rim = (cv2.dilate(picture.mask, np.ones((3, 3), np.uint8)) > 0) & (picture.mask == 0)
    near = (cv2.erode(picture.mask, np.ones((3, 3), np.uint8)) == 0) & (picture.mask > 0)
    assert picture.color[rim].mean() == pytest.approx(picture.color[near].mean(), rel=0.15)


def test_looks_differ_and_repeat(chair):
    first, again, other = rendered(chair)[1], rendered(chair)[1], rendered(chair, 1)[1]
    assert np.array_equal(first.color, again.color)
    assert not np.array_equal(first.color, other.color)


def test_euler_grid_has_every_place_and_starts_anew():
    places = [euler_grid(index) for index in range(8000)]
    angles = Rotation.from_euler(
        "xyz", np.stack(np.meshgrid(*[np.arange(20) * 18] * 3), -1).reshape(-1, 3), True
    )
    expected = {tuple(row) for row in np.rint(angles.as_matrix().reshape(-1, 9) * 1e5).astype(int).tolist()}
    assert {tuple(row) for row in np.rint(np.reshape(places, (-1, 9)) * 1e5).astype(int).tolist()} == expected
    assert np.array_equal(euler_grid(8003), places[3])


def test_uniform_rotations_have_no_preferred_direction(chair):
    R = posed_views(chair, "uniform", 0, SIZE, range(2000)).R
    assert np.abs(R.mean(axis=0)).max() < 0.05  # 0.0129 is the deviation of a mean
    assert np.abs((R**2).mean(axis=0) - 1 / 3).max() < 0.03
    angles = Rotation.from_matrix(R).magnitude()
    assert np.mean(angles) == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.05)


def test_objects_stand_in_the_frame_at_the_depths_of_the_law(chair):
    t = posed_views(chair, "uniform", 0, SIZE, range(500)).t
    u, v = 979.784 * 0.3125 * t[:, :2].T / t[:, 2] + np.array([[1018.952], [779.486]]) * 0.3125
    assert (u > 63).all()
    assert (u < 576).all()
    assert (v > 47).all()
    assert (v < 432).all()
    assert t[:, 2].min() >= 1
    assert t[:, 2].max() <= 5
    assert np.ptp(t[:, 2]) > 3.8


def test_a_scan_wears_its_texture(tmp_path, chair):
    """A template's own OBJ has its colours as a texture: they are found again on the surface."""
    write_templates(tmp_path, {"chairwood": chair})
    renamed = replace(chair, sha256="another mesh")
    skin = skin_of(tmp_path, renamed)
    middles = chair.verts[chair.faces].mean(axis=1)
    a, b, c = (chair.verts[chair.faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    expected = srgb_to_linear(chair.colors / 255.0)
    apart = np.abs(skin.at(middles, normals) - expected).max(axis=1)
    assert np.quantile(apart, 0.9) < 0.05  # JPEG; another part may be nearer from outside
    assert skin_of(tmp_path, chair) is None
    away = np.array([[0.0, 5.0, 0.0]])
    assert np.allclose(skin.at(away, away / 5), skin.mean)


def test_objects_without_a_texture_keep_their_colours(tmp_path, chair):
    renamed = replace(chair, sha256="another mesh")
    assert skin_of(tmp_path, renamed) is None
