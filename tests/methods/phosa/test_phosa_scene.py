"""PHOSA's two stages on drawn scenes whose poses are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_bodies
from rhobin.geometry.camera import project
from rhobin.geometry.silhouette import RigidMesh
from rhobin.methods.phosa.module import told_object
from rhobin.methods.phosa.parts import JOINTS, part_vertices, touching
from rhobin.methods.phosa.place import place_by_box
from rhobin.methods.phosa.region import box_of, region_about
from rhobin.methods.phosa.scene import TERMS, Pose, Scene, SceneSettings, descend, start_pose
from rhobin.methods.phosa.start import Shape, StartSettings, find_pose
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES

WIDTH = 128
K = torch.tensor([[150.0, 0, 63.5], [0, 150.0, 63.5], [0, 0, 1]])
START = StartSettings(192, 8, 8, 30, 1e-2, 0.5, 1000.0, 3)
WEIGHTS = dict(zip(TERMS, (10.0, 20.0, 50.0, 100.0, 100.0, 1.0), strict=True))
SCENE = SceneSettings(WEIGHTS, 40, 1e-3, 2.0, (0.0, 0.7), 48)
NOBODY = torch.zeros(WIDTH, WIDTH, dtype=torch.bool)


@pytest.fixture(scope="module")
def shape():
    template = built_in("backpack")
    return Shape.of(template.verts, template.faces)


@pytest.fixture(scope="module")
def truth(shape):
    """A pose, and the mask that it gives."""
    R = torch.from_numpy(Rotation.from_rotvec([0.3, 0.8, -0.2]).as_matrix()).float()
    t = torch.tensor([0.0, -0.1, 2.2])
    return R, t, shape.mesh.draw(R[None], t[None], torch.ones(1), K.numpy(), WIDTH).covered[0]


@pytest.fixture(scope="module")
def scene(shape, truth):
    """A block as the person, beside the object; a hand of it touches the object."""
    corners = np.array([[x, y, z] for x in (-0.2, 0.2) for y in (-0.8, 0.8) for z in (-0.15, 0.15)])
    verts = corners + np.array([-0.1, 0.1, 2.5])
    faces = np.array([[0, 1, 2], [1, 3, 2], [4, 6, 5], [5, 6, 7], [0, 4, 1], [1, 4, 5], [2, 3, 6], [3, 7, 6],
                      [0, 2, 4], [2, 6, 4], [1, 5, 3], [3, 5, 7]])  # fmt: skip
    person = RigidMesh(verts, faces)
    seen = person.draw(torch.eye(3)[None], torch.zeros(1, 3), torch.ones(1), K.numpy(), WIDTH).covered[0]
    R, t, mask = truth
    region = region_about(box_of(mask), seen & ~mask, mask, K, 0.3, 64, 3)
    pose = start_pose(R, t + torch.tensor([0.1, 0.0, 0.4]))
    parts = {"left_hand": torch.arange(4, 8)}
    masks = torch.stack((seen & ~mask, mask))
    return Scene(
        shape, torch.from_numpy(verts).float(), person, parts, region, masks, K, 4.0, pose, SCENE
    ), pose


def test_a_pose_is_found_from_the_mask_alone(shape, truth):
    R, t, mask = truth
    box = box_of(mask)
    region = region_about(box, NOBODY, mask, K, 0.3, 64, 3)
    found_R, found_t = find_pose(shape, region, box, K, START)
    assert torch.allclose(found_R @ found_R.mT, torch.eye(3), atol=1e-5)
    apart = (shape.verts @ found_R.mT + found_t) - (shape.verts @ R.mT + t)
    assert apart.norm(dim=1).mean() < 0.03


def test_what_hides_the_object_does_not_count(shape, truth):
    """A part is behind the person and gone from the mask: the true pose still costs nothing."""
    R, t, mask = truth
    hidden = torch.zeros_like(mask)
    hidden[: int(box_of(mask)[1]) + 9] = True
    region = region_about(box_of(mask), hidden, mask & ~hidden, K, 0.3, 64, 3)
    drawn = shape.mesh.draw(R[None], t[None], torch.ones(1), region.K.numpy(), 64).covered[0]
    apart = (region.keep * drawn - region.mask).abs()
    assert apart.sum() < 0.03 * region.mask.sum()


def test_points_are_placed_so_that_their_picture_fills_a_box(shape):
    box = torch.tensor([30.0, 40.0, 70.0, 75.0])
    turned = shape.hull @ torch.from_numpy(Rotation.random(3, random_state=1).as_matrix()).float().mT
    pixels = project(turned + place_by_box(turned, box, K)[:, None], K)
    low, high = pixels.amin(1), pixels.amax(1)
    assert torch.allclose((low + high) / 2, (box[:2] + box[2:]) / 2, atol=0.05)
    assert torch.allclose((high - low).norm(dim=1), (box[2:] - box[:2]).norm(), rtol=1e-3)


def test_the_objective_falls_and_its_terms_are_finite(scene):
    scene, pose = scene
    values, _ = scene.terms(pose)
    assert all(value.isfinite() for value in values.values())
    assert values["silhouette"] > 0
    assert values["parts"] > 0
    assert values["depth"] > 0
    best, before, after = descend(scene, pose, SCENE)
    assert after < 0.9 * before
    assert before == pytest.approx(float(scene(pose)[0]))
    assert after == pytest.approx(float(scene(best)[0]), rel=1e-5)


def test_where_a_descent_meets_nothing_lower_it_begins_again_nearby():
    """Ten counted pixels, whose slope points away from the three that could be gained."""

    def counted(pose):
        gained = (pose.t.detach() < -1e-3).sum().float()
        return 10 - gained, -pose.t.sum()

    pose = start_pose(torch.eye(3), torch.zeros(3))
    best, before, after = descend(counted, pose, SCENE)
    assert before == 10
    assert after == float(counted(best)[0]) == 7


def test_an_objective_of_nothing_is_left_alone():
    pose = start_pose(torch.eye(3), torch.zeros(3))
    best, before, after = descend(lambda now: (now.t.detach().abs().sum(), now.t.sum()), pose, SCENE)
    assert before == after == 0
    assert torch.equal(best.t, pose.t)


def test_slopes_of_the_smooth_terms_are_those_of_their_values(scene):
    """The depth term, apart from pixels that come and go, and the interaction terms, by the sizes."""
    scene, pose = scene
    pose = replace(pose, scale=torch.tensor(1.03), person=torch.tensor(0.98))
    for name in ("centroid", "parts", "object_scale", "person_scale", "depth"):
        moving = Pose(*(value.clone().requires_grad_() for value in vars(pose).values()))
        slope = scene.terms(moving)[1][name]
        (found,) = torch.autograd.grad(slope, [moving.person], allow_unused=True)
        step = 1e-3
        ends = [scene.terms(replace(pose, person=pose.person + s * step))[0][name] for s in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * step)
        assert float(found or 0) == pytest.approx(float(expected), rel=0.02, abs=1e-3), name


def test_a_scene_is_told_with_the_person_at_its_own_size(scene):
    """The scaled scene is the told one made smaller about the camera, so both have the same picture."""
    scene, pose = scene
    pose = replace(pose, scale=torch.tensor(1.2), person=torch.tensor(0.9))
    told = told_object(pose)
    verts = told["scale"] * (scene.shape.verts @ told["R"].mT + told["t"])
    ours = pose.scale * (scene.shape.verts @ pose.turn.mT) + pose.t
    assert torch.allclose(0.9 * verts, ours, atol=1e-5)


def test_every_part_of_the_body_has_vertices_of_its_own_side():
    bodies = load_bodies()
    parts = part_vertices(bodies)
    template = next(iter(bodies)).template.view(-1, 3)
    assert parts.keys() == JOINTS.keys()
    assert sum(map(len, parts.values())) == len(torch.cat(list(parts.values())).unique())
    for name, sign in (("left_hand", 1), ("right_hand", -1), ("left_foot", 1), ("right_foot", -1)):
        assert (sign * template[parts[name], 0] > 0).all()
    assert template[parts["left_foot"], 1].max() < template[parts["seat"], 1].min()
    assert all(set(touching(name)) <= set(parts) for name in (*OBJECT_NAMES, "a mug of my own"))
