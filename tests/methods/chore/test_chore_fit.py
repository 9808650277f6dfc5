"""The search and the fit on scenes whose fields are known."""

import pytest
import torch
from true_fields import TrueScene, box_points, surfaces

from rhobin.geometry.rotation import geodesic_angle
from rhobin.methods.chore.fit import FitConfig, ObjectTerms, Placed, Scene, fit_body, fit_object
from rhobin.methods.chore.start import find_surfaces, place_body

CONFIG = FitConfig(
    steps={"place": 5, "pose": 40, "object": 30, "joint": 5},
    rates={"place": 0.02, "pose": 0.02, "object": 0.02, "joint": 0.002},
    fall=0.1,
    clamps={"person": 0.3, "object": 0.8},
    weights={"person": 900.0, "part": 17.0, "start": 0.1, "shape": 0.2, "cloud": 900.0, "object": 900.0,
             "object_start": 0.0, "object_cloud": 100.0, "centre": 225.0, "contact": 0.0},
)  # fmt: skip


@pytest.fixture(scope="module")
def both():
    return surfaces()


@pytest.fixture(scope="module")
def scene(both):
    return TrueScene(both[1])


def search(scene, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return find_surfaces(scene.query, scene.space, 200, 6, 0.5, 0.03, generator)


def first_body(scene, found, surface):
    count = len(scene.gender)
    pose = torch.eye(3).repeat(count, 52, 1, 1), torch.zeros(count, 10)
    return place_body(found, scene.space, surface, pose, scene.gender, turn=True)


def fitted(scene, surface, config=CONFIG):
    """Body and object, fitted from a mean body, and the body's points."""
    found = search(scene)
    about = Scene(
        scene.query, scene.space, found, scene.gender, box_points(150, 5).expand(len(found.R), -1, -1)
    )
    body = fit_body(about, first_body(scene, found, surface), surface, config)
    posed = surface(*body, scene.gender)
    factor = scene.space.factor(posed.joints[:, 0, 2])[:, None]
    start = Placed(found.R, found.centre[:, 1] / factor)
    return body, fit_object(about, start, posed, surface.part, config), posed


@pytest.fixture(scope="module")
def once(both, scene):
    """One fit, and how often the fields were asked."""
    before = scene.calls
    return *fitted(scene, both[0]), scene.calls - before


def test_points_are_found_on_both_surfaces(scene):
    found = search(scene)
    assert found.on.mean() > 0.95
    for points, surface in zip(found.points.unbind(1), scene.surfaces, strict=True):
        assert torch.cdist(points, surface).amin(-1).median() < 0.01
    factor = scene.space.factor(scene.pelvis[:, 2])[:, None]
    assert torch.allclose(found.centre[:, 0], scene.pelvis * factor, atol=1e-4)
    assert torch.allclose(found.centre[:, 1], scene.object.t * factor, atol=1e-4)
    assert geodesic_angle(found.R, scene.object.R).max() < 1e-3


def test_a_first_body_faces_and_stands_as_the_person_does(both, scene):
    body = first_body(scene, search(scene), both[0])
    assert geodesic_angle(body.theta[:, 0], scene.body.theta[:, 0]).max() < 0.7
    assert ((body.trans - scene.body.trans)[:, 2].abs() / scene.pelvis[:, 2]).max() < 0.2


def test_a_fit_to_true_fields_comes_near_the_truth(both, scene, once):
    surface, (_, placed, posed, _) = both[0], once
    start = surface(*first_body(scene, search(scene), surface), scene.gender)
    truth = surface(*scene.body, scene.gender)

    def off(bodies):
        joints = [b.joints[:, :22] - b.joints[:, :1] for b in (bodies, truth)]
        return (joints[0] - joints[1]).norm(dim=-1).mean()

    assert off(posed) < 0.7 * off(start)
    beside = (placed.t - posed.joints[:, 0]) - (scene.object.t - scene.pelvis)
    assert beside.norm(dim=-1).max() < 0.08
    assert geodesic_angle(placed.R, scene.object.R).max() < 0.15


def test_every_step_is_one_evaluation(once):
    assert once[-1] == 6 + 1 + sum(CONFIG.steps.values())


def test_the_same_seed_gives_the_same_bits(both, scene, once):
    again = fitted(scene, both[0])
    for first, second in zip((*once[0], *once[1]), (*again[0], *again[1]), strict=True):
        assert torch.equal(first, second)


def test_a_frame_is_fitted_by_itself(both, scene, once):
    alone = fitted(scene.frame(1), both[0])
    for whole, part in zip((*once[0], *once[1]), (*alone[0], *alone[1]), strict=True):
        assert torch.allclose(whole[1:2], part, atol=0.03)  # steps of Adam amplify the last digits


def test_contact_draws_an_object_that_touches_nothing_nowhere(both, scene, once):
    """Touching points are moved together; without any, the term is zero and has no gradient."""
    surface, posed = both[0], once[2]
    about = Scene(scene.query, scene.space, search(scene), scene.gender, box_points(150, 5).expand(2, -1, -1))
    terms = ObjectTerms(about, posed, surface.part, CONFIG)
    apart = posed.joints[:, :1] + box_points(150, 5) + torch.tensor([2.0, 0, 0])
    touching = posed.points[:, :150] + torch.tensor([0.0, 0, 0.02])
    for points, drawn in ((apart, False), (touching, True)):
        points = (points * terms.factor).requires_grad_(True)
        said = scene.query(torch.cat((points, terms.body), 1), ("distance", "part"))
        said["distance"] = said["distance"].clone()
        said["distance"][:, 1, 150:] = 0.01 if drawn else 1.0
        loss = terms.contact(points, said, 150).sum()
        (slope,) = torch.autograd.grad(loss, points)
        assert bool(slope.abs().sum() > 0) == drawn
        assert slope.isfinite().all()
