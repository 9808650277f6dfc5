import pickle

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from rhobin.geometry.mesh import face_areas, face_normals, sample_surface
from rhobin.geometry.raycast import Scene
from rhobin.objects.assemble import assemble
from rhobin.objects.catalogue import DESIGNS, built_in, surface_colors
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.symmetry import shape_errors
from rhobin.objects.template import mesh_hash

SIZES = {
    "backpack": ((0.28, 0.38), (0.42, 0.55), (0.18, 0.30)),
    "basketball": ((0.24, 0.24),) * 3,
    "boxlarge": ((0.55, 0.55), (0.40, 0.40), (0.42, 0.42)),
    "boxlong": ((0.65, 0.65), (0.20, 0.20), (0.25, 0.25)),
    "boxmedium": ((0.42, 0.42), (0.28, 0.28), (0.32, 0.32)),
    "boxsmall": ((0.30, 0.30), (0.20, 0.20), (0.24, 0.24)),
    "boxtiny": ((0.20, 0.20), (0.12, 0.12), (0.15, 0.15)),
    "chairblack": ((0.42, 0.55), (0.80, 0.95), (0.48, 0.62)),
    "chairwood": ((0.40, 0.50), (0.85, 0.98), (0.45, 0.58)),
    "keyboard": ((0.34, 0.46), (0.02, 0.05), (0.12, 0.17)),
    "monitor": ((0.52, 0.56), (0.42, 0.52), (0.15, 0.25)),
    "plasticcontainer": ((0.38, 0.48), (0.22, 0.32), (0.26, 0.34)),
    "stool": ((0.30, 0.40), (0.42, 0.50), (0.30, 0.40)),
    "suitcase": ((0.34, 0.42), (0.55, 0.68), (0.20, 0.26)),
    "tablesmall": ((0.45, 0.60), (0.40, 0.55), (0.35, 0.55)),
    "tablesquare": ((0.70, 0.98), (0.68, 0.76), (0.70, 0.98)),
    "toolbox": ((0.38, 0.48), (0.22, 0.30), (0.18, 0.25)),
    "trashbin": ((0.26, 0.34), (0.28, 0.40), (0.26, 0.34)),
    "yogaball": ((0.65, 0.65),) * 3,
    "yogamat": ((0.58, 0.64), (0.10, 0.16), (0.10, 0.16)),
}
"""Metres along x, y, z that things of these names have in real life."""

GROUP_SIZES = {
    "basketball": 60,
    "yogaball": 60,
    "yogamat": 72,
    "trashbin": 36,
    "stool": 4,
    "tablesquare": 4,
    "tablesmall": 2,
    "plasticcontainer": 2,
    **dict.fromkeys(["boxlarge", "boxlong", "boxmedium", "boxsmall", "boxtiny"], 4),
}

every_object = pytest.mark.parametrize("name", OBJECT_NAMES)


def test_the_twenty_names_are_sorted_and_all_designed():
    assert len(OBJECT_NAMES) == 20
    assert list(OBJECT_NAMES) == sorted(OBJECT_NAMES)
    assert list(DESIGNS) == list(OBJECT_NAMES)
    with pytest.raises(ValueError, match=r"unknown object 'sofa'.*backpack"):
        built_in("sofa")


@every_object
def test_size_centre_and_vertex_count(name):
    template = built_in(name)
    for extent, (low, high) in zip(np.ptp(template.verts, axis=0), SIZES[name], strict=True):
        assert low - 2e-3 <= extent <= high + 2e-3
    assert np.abs(template.verts.mean(axis=0)).max() < 1e-9
    assert 500 <= len(template.verts) <= 1600
    assert template.verts.dtype == np.float64
    assert template.faces.dtype == np.int64
    assert template.diameter == pytest.approx(pdist(template.verts).max())
    assert template.bottom == template.verts[:, 1].min()


@every_object
def test_mesh_is_sound(name):
    template = built_in(name)
    assert np.unique(template.faces).tolist() == list(range(len(template.verts)))
    assert (face_areas(template.verts, template.faces) > 1e-9).all()
    assert template.colors.shape == (len(template.faces), 3)
    assert template.colors.dtype == np.uint8
    for part in template.parts:
        assert trimesh.Trimesh(*part.mesh(), process=False).is_volume


@every_object
def test_visible_surface_is_closed(name):
    """Rays from far away never meet the inner side of a triangle, which a hole would show."""
    template = built_in(name)
    rng = np.random.default_rng(0)
    outside = rng.normal(size=(4000, 3))
    outside *= 3 / np.linalg.norm(outside, axis=1, keepdims=True)
    aim = (
        template.verts[rng.integers(len(template.verts), size=4000)] * rng.uniform(0.2, 0.98, (4000, 1))
        - outside
    )
    hits = Scene([(template.verts, template.faces)], robust=True).cast(outside, aim)
    met = hits.geom_id >= 0
    assert met.sum() > 500
    normals = face_normals(template.verts, template.faces)[hits.prim_id[met]]
    inward = np.einsum("nk,nk->n", normals, aim[met]) > 1e-3
    assert inward.mean() < 1e-3


@every_object
def test_distance_fits_the_mesh(name):
    template = built_in(name)
    points = sample_surface(template.verts, template.faces, 6000, np.random.default_rng(0))
    distance = template.sdf(points)
    assert distance.max() < 2e-3, "the mesh stands out of the solids"
    assert (distance < -3e-3).mean() < 0.10, "too much of the surface is hidden inside other parts"
    away = points * 1.5 + (0, 0.4, 0)
    nearest = np.linalg.norm(away[:200, None] - points[None], axis=2).min(axis=1)
    far = template.sdf(away[:200])
    outside = far > 0.02
    assert outside.sum() > 50
    np.testing.assert_allclose(far[outside], nearest[outside], atol=0.02)


@every_object
def test_symmetries_map_the_surface_onto_itself(name):
    template = built_in(name)
    assert len(template.symmetries) == GROUP_SIZES.get(name, 1)
    np.testing.assert_array_equal(template.symmetries[0], np.eye(3))
    np.testing.assert_array_equal(template.symmetry_offsets[0], 0)
    moves = template.symmetries, template.symmetry_offsets
    assert shape_errors(template.verts, template.faces, *moves).max() < 1.5e-3
    samples = sample_surface(template.verts, template.faces, 500, np.random.default_rng(0))
    for R, t in zip(*moves, strict=True):
        assert np.abs(template.sdf(samples @ R.T + t) - template.sdf(samples)).max() < 4e-3


@every_object
def test_no_half_turn_about_an_axis_is_missing(name):
    """A half turn about x, y or z that keeps the shape belongs to the listed group."""
    template = built_in(name)
    for axis in np.eye(3):
        turn = 2 * np.outer(axis, axis) - np.eye(3)
        middle = (template.verts.max(axis=0) + template.verts.min(axis=0)) / 2
        shift = (middle - turn @ middle)[None]
        error = float(shape_errors(template.verts, template.faces, turn[None], shift)[0])
        listed = np.abs(template.symmetries - turn).max(axis=(1, 2)).min() < 1e-6
        assert listed == (error < 3e-4), f"half turn about {axis}: error {error * 1000:.2f} mm"


@every_object
def test_colours_show_which_way_an_object_is_turned(name):
    """Every symmetry of the shape but the identity is broken by the colours."""
    template = built_in(name)
    face_ids = np.arange(len(template.faces))
    centres = template.verts[template.faces].mean(axis=1)
    own = surface_colors(name, face_ids, centres).astype(int)
    weight = face_areas(template.verts, template.faces)
    tree = cKDTree(centres)
    for R, t in zip(template.symmetries[1:], template.symmetry_offsets[1:], strict=True):
        moved = centres @ R.T + t
        partner = tree.query(moved)[1]
        change = np.abs(own - own[partner]).max(axis=1) > 20
        if len(template.symmetries) in (36, 72) and np.trace(R) > 2.5:
            continue
        assert weight[change].sum() / weight.sum() > 0.003


@every_object
def test_grips_lie_on_the_object_and_point_out_of_it(name):
    template = built_in(name)
    assert template.grips
    for key, grip in template.grips.items():
        assert key == grip.name
        assert np.linalg.norm(grip.normal) == pytest.approx(1)
        assert np.linalg.norm(grip.direction) == pytest.approx(1)
        assert abs(grip.normal @ grip.direction) < 1e-9
        at, out = template.sdf(np.stack([grip.position, grip.position + (grip.radius + 0.01) * grip.normal]))
        assert at == pytest.approx(-grip.radius, abs=6e-3), key
        assert out > 4e-3, key


@pytest.mark.parametrize("name", ["backpack", "suitcase", "toolbox"])
def test_a_hand_fits_around_the_handles(name):
    """Free space all around the bar, 28 mm from its centre line, over most of its length."""
    template = built_in(name)
    handle = template.grips["handle"]
    across = np.cross(handle.normal, handle.direction)
    angle = np.linspace(0, 2 * np.pi, 16)[:, None]
    circle = 0.028 * (np.cos(angle) * handle.normal + np.sin(angle) * across)
    along = np.linspace(-0.3, 0.3, 5)[:, None] * handle.length * handle.direction
    points = handle.position + (circle[:, None] + along[None]).reshape(-1, 3)
    assert template.sdf(points).min() > 0.028 - handle.radius - 0.008


@every_object
def test_colours_at_points_agree_with_the_triangles(name):
    template = built_in(name)
    starts, ends = template.verts[template.faces], np.roll(template.verts[template.faces], -1, axis=1)
    longest = np.linalg.norm(ends - starts, axis=2).round(9).argmax(axis=1)
    rows = np.arange(len(template.faces))
    middle = (starts[rows, longest] + ends[rows, longest]) / 2
    same = (surface_colors(name, rows, middle) == template.colors).all(axis=1)
    assert same.mean() > 0.98


def test_templates_are_deterministic_and_travel_to_workers():
    for name in OBJECT_NAMES:
        again = assemble(name, DESIGNS[name]())
        assert again.sha256 == built_in(name).sha256 == mesh_hash(again.verts, again.faces)
        copy = pickle.loads(pickle.dumps(again))
        np.testing.assert_array_equal(copy.verts, again.verts)
        assert copy.sdf(again.verts[:5]) == pytest.approx(again.sdf(again.verts[:5]))
    assert len({built_in(name).sha256 for name in OBJECT_NAMES}) == 20


def test_the_hash_sees_a_tenth_of_a_millimetre_and_a_turned_triangle():
    template = built_in("stool")
    moved = template.verts.copy()
    moved[3, 1] += 1e-4
    assert mesh_hash(moved, template.faces) != template.sha256
    turned = template.faces.copy()
    turned[0] = turned[0, ::-1]
    assert mesh_hash(template.verts, turned) != template.sha256
    assert mesh_hash(template.verts + 1e-10, template.faces) == template.sha256
