from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from silhouette import iou, silhouette

from rhobin.body.load import load_body
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.objects.catalogue import built_in
from rhobin.synthetic.light.shading import visibility
from rhobin.synthetic.paint.looks import landmarks, look_of
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.places.rooms import CLEAR_RADIUS, furnished_room
from rhobin.synthetic.render.actors import Actors, Costume, Prop
from rhobin.synthetic.render.layers import room_layer, room_scene
from rhobin.synthetic.render.stage import Stage
from rhobin.synthetic.render.view import render_view

WIDTH = 320


@dataclass
class Set:
    rig: object
    room: object
    stages: list


@pytest.fixture(scope="module")
def scenery() -> Set:
    rig = camera_rig("Date05", WIDTH)
    room = furnished_room(rig)
    scene = room_scene(room)
    stages = []
    for k in range(4):
        camera = rig.in_room(k)
        stages.append(Stage(room, scene, room_layer(room, scene, camera), camera, np.random.default_rng(k)))
    return Set(rig, room, stages)


@pytest.fixture(scope="module")
def body():
    return load_body("female")


def costume(body, day=1) -> Costume:
    rest = body.template.numpy().reshape(-1, 3)
    joints = body.rest_joints(torch.zeros(1, 10))[0].numpy()
    look = look_of(106, "female", day)
    return Costume(
        body.faces.numpy().astype(np.int32), rest.astype(np.float32), landmarks(rest, joints), look
    )


def posed(body, yaw: float) -> np.ndarray:
    pose = torch.zeros(52, 3)
    pose[0, 1], pose[16, 2], pose[17, 2] = yaw, -1.0, 1.0
    verts = body(rotvec_to_rotmat(pose)[None], torch.zeros(1, 10), torch.zeros(1, 3)).verts[0].numpy()
    return verts - [0, verts[:, 1].min(), 0]


def cast(body, name="suitcase", yaw=0.4, at=(0.0, 0.5, 0.45), day=1) -> Actors:
    return Actors(costume(body, day), posed(body, yaw), Prop.of(built_in(name)), np.eye(3), np.array(at))


def test_whole_silhouettes_are_those_of_projected_meshes(scenery, body):
    actors = cast(body)
    faces = (body.faces.numpy(), built_in("suitcase").faces)
    for k, stage in enumerate(scenery.stages):
        view = render_view(stage, actors, np.random.default_rng(0))
        camera = scenery.rig.in_room(k)
        for mask, verts, f in zip((view.person_full, view.object_full), actors.verts, faces, strict=True):
            local = (verts.astype(float) - camera.t) @ camera.R
            assert iou(mask, silhouette(local, f, camera.K, camera.width, camera.height)) > 0.98


def test_visible_masks_are_disjoint_parts_of_the_whole(scenery, body):
    actors = cast(body)
    for stage in scenery.stages:
        view = render_view(stage, actors, np.random.default_rng(0))
        assert not (view.person_mask & view.object_mask).any()
        assert not (view.person_mask & ~view.person_full).any()
        assert not (view.object_mask & ~view.object_full).any()
        both_hit = view.person_full | view.object_full
        hidden_by_room = both_hit & ~(view.person_mask | view.object_mask)
        assert (stage.depth[hidden_by_room] < 3.2).all()


def test_who_stands_in_front_hides_the_other(scenery, body):
    """An object before or behind the person, seen from kinect 0: visible fractions from all to little."""
    toward = scenery.rig.in_room(0).t * [1, 0, 1]
    toward /= np.linalg.norm(toward)
    fractions = []
    for distance in (0.5, -0.5):
        actors = cast(body, "basketball", at=tuple(distance * toward + [0, 1.0, 0]))
        view = render_view(scenery.stages[0], actors, np.random.default_rng(0))
        fractions.append(view.object_mask.sum() / view.object_full.sum())
    assert fractions[0] > 0.99
    assert fractions[1] < 0.3


def test_clothes_change_colours_but_never_masks(scenery, body):
    first, second = (
        render_view(scenery.stages[1], cast(body, day=day), np.random.default_rng(0)) for day in (1, 2)
    )
    np.testing.assert_array_equal(first.person_full, second.person_full)
    seen = first.person_mask
    assert np.abs(first.color[seen].astype(int) - second.color[seen]).mean() > 8


def test_actors_darken_the_room_and_never_brighten_it(scenery, body):
    actors = cast(body, at=(0.0, 0.35, 0.45))
    stage = scenery.stages[2]
    view = render_view(stage, actors, np.random.default_rng(0))
    grain = 14
    change = view.color[..., ::-1].astype(int) - stage.picture
    outside = ~(view.person_full | view.object_full)
    outside &= (
        ~np.roll(~outside, 1, 0)
        & ~np.roll(~outside, -1, 0)
        & ~np.roll(~outside, 1, 1)
        & ~np.roll(~outside, -1, 1)
    )
    smooth = np.abs(np.gradient(stage.picture.astype(float).mean(axis=2))).sum(axis=0) < 6
    assert np.percentile(change[outside & smooth], 99.9) < grain
    dark = (change.mean(axis=2) < -12) & outside & smooth
    assert dark.sum() > 50
    floor = np.asarray(stage.layer.points)[dark]
    assert np.mean(np.abs(floor[:, 1]) < 0.01) > 0.5
    assert np.median(np.hypot(floor[:, 0], floor[:, 2])) < 1.8


def test_no_shadow_is_missed_outside_the_umbra(scenery, body):
    actors = cast(body, "tablesquare", at=(0.1, 0.45, 0.6))
    for k, lamp in enumerate(scenery.room.lights):
        for stage in scenery.stages[:2]:
            reached = stage._reached[k]
            points, normals = stage._points[reached], stage._normals[reached]
            free = visibility([actors.both], points, normals, lamp, 3, stage._phase[reached])
            kept = np.zeros(len(reached), bool)
            kept[actors.umbra(k, lamp).covers(stage._views[k])] = True
            assert (free[~kept] == 1).all()
            assert 0 < kept.sum() < 0.6 * len(kept)


def test_silhouettes_are_smooth(scenery, body):
    """Pixels on the outline mix person and background instead of jumping."""
    bright = replace(
        costume(body), look=replace(costume(body).look, top=(0.9, 0.9, 0.9), trousers=(0.9, 0.9, 0.9))
    )
    actors = Actors(
        bright, posed(body, 0.4), Prop.of(built_in("suitcase")), np.eye(3), np.array([0, 0.5, 0.45])
    )
    view = render_view(scenery.stages[0], actors, np.random.default_rng(0))
    mask = view.person_mask
    inner = mask & np.roll(mask, 1, 1) & np.roll(mask, -1, 1) & np.roll(mask, 1, 0) & np.roll(mask, -1, 0)
    outline = mask & ~inner
    gray = view.color.mean(axis=2)
    assert gray[outline].mean() < gray[inner].mean()


def test_an_object_outside_the_picture_has_empty_masks(scenery, body):
    behind = scenery.rig.in_room(0).t * 1.2
    actors = cast(body, "boxtiny", at=tuple(behind))
    view = render_view(scenery.stages[0], actors, np.random.default_rng(0))
    assert not view.object_full.any()
    assert view.person_mask.any()


def test_noise_comes_from_the_generator_alone(scenery, body):
    actors = cast(body)
    a, b, c = (
        render_view(scenery.stages[3], actors, np.random.default_rng(seed)).color for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(a, b)
    assert 0.5 < np.std(a.astype(int) - c) < 8


def test_furniture_leaves_room_for_people():
    for day in range(1, 8):
        rig = camera_rig(f"Date{day:02d}", 64)
        for surface in furnished_room(rig).surfaces:
            placed = surface.placed
            standing = placed[(placed[:, 1] > 0.01) & (placed[:, 1] < 2.2)]
            if len(standing):
                assert np.hypot(standing[:, 0], standing[:, 2]).min() > CLEAR_RADIUS - 0.05
