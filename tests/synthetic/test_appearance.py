from dataclasses import replace

import numpy as np
import pytest
import torch

from rhobin.body.load import load_body
from rhobin.geometry.mesh import sample_barycentric
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.synthetic.paint.appearance import body_paint
from rhobin.synthetic.paint.finishes import object_paint
from rhobin.synthetic.paint.looks import TOP_PATTERNS, TROUSER_PATTERNS, landmarks, look_of
from rhobin.synthetic.paint.materials import TEXTURES, Material, albedo
from rhobin.synthetic.paint.noise import cell_hash, noise_table
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.places.rooms import furnished_room


@pytest.fixture(scope="module", params=["male", "female"])
def body(request):
    model = load_body(request.param)
    verts = model.template.numpy().reshape(-1, 3)
    joints = model.rest_joints(torch.zeros(1, 10))[0].numpy()
    return verts, joints


@pytest.fixture
def look():
    plain = look_of(101, "male", 1)
    return replace(
        plain,
        skin=(0.5, 0.3, 0.2),
        top=(0.1, 0.6, 0.1),
        top_pattern="plain",
        trousers=(0.1, 0.1, 0.7),
        trouser_pattern="plain",
        shoes=(0.7, 0.1, 0.1),
        sleeve=1.9,
        leg=1.0,
        long_hair=False,
    )


def closest(albedo_rgb: np.ndarray, look) -> str:
    names = ("skin", "top", "trousers", "shoes")
    unit = np.stack([np.array(getattr(look, name)) / np.linalg.norm(getattr(look, name)) for name in names])
    return names[int((unit @ (albedo_rgb / np.linalg.norm(albedo_rgb))).argmax())]


def test_parts_wear_what_belongs_there(body, look):
    verts, joints = body
    marks = landmarks(verts, joints)
    elbow, knee, wrist = joints[18], joints[4], joints[20]
    middle = verts[np.abs(verts[:, 0]) < 0.03]
    chest = middle[np.abs(middle[:, 1] - joints[6, 1]).argmin()]
    spots = {
        "top": [chest, elbow + np.array([0, 0, 0.03])],
        "trousers": [knee + np.array([0, 0, 0.04]), joints[1] + [0, -0.1, 0.06]],
        "skin": [wrist + np.array([0.08, 0, 0]), joints[15] + [0.05, -0.02, 0.08]],
        "shoes": [joints[10] + [0, 0.01, 0.0]],
    }
    for part, points in spots.items():
        paint = body_paint(look, marks, np.array(points, np.float32))
        assert [closest(color, look) for color in paint.albedo] == [part] * len(points)


def test_short_sleeves_and_legs_show_skin(body, look):
    verts, joints = body
    marks = landmarks(verts, joints)
    points = np.stack([joints[18] + [0.1, 0, 0.03], joints[4] + [0, -0.2, 0.04]]).astype(np.float32)
    paint = body_paint(replace(look, sleeve=0.5, leg=0.1), marks, points)
    assert [closest(color, look) for color in paint.albedo] == ["skin", "skin"]


@pytest.mark.parametrize("top", sorted(set(TOP_PATTERNS)))
@pytest.mark.parametrize("trousers", sorted(set(TROUSER_PATTERNS)))
def test_every_pattern_paints_valid_colours(body, look, top, trousers):
    verts, joints = body
    paint = body_paint(
        replace(look, top_pattern=top, trouser_pattern=trousers, long_hair=True, beard=0.8),
        landmarks(verts, joints),
        verts.astype(np.float32),
    )
    assert paint.albedo.shape == verts.shape
    assert paint.albedo.min() >= 0
    assert paint.albedo.max() < 1.3
    assert np.std(paint.albedo, axis=0).min() > 0.02


def test_skin_and_hair_stay_while_clothes_change():
    first, second = look_of(107, "female", 1), look_of(107, "female", 2)
    assert (first.skin, first.hair, first.long_hair) == (second.skin, second.hair, second.long_hair)
    assert first.top != second.top
    assert first == look_of(107, "female", 1)
    assert look_of(107, "female", 1).beard == 0


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_every_object_has_a_finish(name):
    template = built_in(name)
    face, weight = sample_barycentric(template.verts, template.faces, 500, np.random.default_rng(0))
    points = np.einsum("nk,nkc->nc", weight, template.verts[template.faces[face]])
    corners = template.verts[template.faces[face]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    paint = object_paint(template, points, normals, face)
    assert np.isfinite(paint.albedo).all()
    assert paint.albedo.min() >= 0
    assert paint.albedo.max() <= 0.95
    assert paint.gloss.shape == paint.bump.shape == (500,)


def test_a_scan_wears_its_own_colours():
    template = replace(built_in("stool"), name="scan")
    template = replace(template, colors=np.full_like(template.colors, 255))
    paint = object_paint(template, template.verts[:3], np.eye(3), np.array([0, 1, 2]))
    np.testing.assert_allclose(paint.albedo, 0.95, atol=0.1)


@pytest.mark.parametrize("kind", sorted(TEXTURES))
def test_room_materials_are_colours_with_structure(kind):
    u, v = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(0, 2, 60))
    points = np.stack([u, v, 0 * u], -1).reshape(-1, 3)
    color = albedo(
        Material(kind, (0.5, 0.4, 0.3), (0.1, 0.1, 0.2), 0.2), points, np.tile([0, 0, 1.0], (3600, 1))
    )
    assert color.shape == (3600, 3)
    assert color.min() >= 0
    assert color.max() <= 1
    assert color.std(axis=0).max() > 0.003


def test_noise_is_smooth_periodic_and_even():
    table = noise_table()
    step = np.abs(np.diff(np.concatenate([table, table[:1]]), axis=0))
    assert step.max() < 0.6
    assert abs(table.mean()) < 0.15
    assert 0.3 < table.std() < 0.7
    draws = cell_hash(*np.meshgrid(np.arange(-40, 40), np.arange(-40, 40)))
    assert np.histogram(draws, 8, (0, 1))[0].min() > 600


def test_rooms_differ_between_days_and_stay_on_one():
    rooms = [furnished_room(camera_rig(f"Date{day:02d}", 64)) for day in range(1, 8)]
    assert len({len(room.surfaces) for room in rooms}) > 3
    assert len({tuple(np.round(room.lights[0].color, 3)) for room in rooms}) == 7
    again = furnished_room(camera_rig("Date01", 64))
    for a, b in zip(rooms[0].surfaces, again.surfaces, strict=True):
        np.testing.assert_array_equal(a.placed, b.placed)
