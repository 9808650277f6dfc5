"""Distances to placed objects, pressing, and the measures that accept or reject a candidate."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_body
from rhobin.objects.load import load_templates
from rhobin.synthetic.interactions.contact import Contact, Solved, approach, measure, press_hand, self_depths
from rhobin.synthetic.interactions.placed import Infeasible, Placed
from rhobin.synthetic.people import regions
from rhobin.synthetic.people.arms import HandTarget
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.hands import close_fingers, set_curls
from rhobin.synthetic.people.pose import ELBOW, SHOULDER, SIGN, Pose, rot_y, rot_z


@pytest.fixture(scope="module")
def templates():
    return load_templates()


@pytest.fixture(scope="module")
def figure():
    return regions.prepare(Figure(load_body("female"), np.zeros(10)))


def placed(templates, name):
    R = Rotation.from_rotvec([0.3, 0.5, -0.2]).as_matrix()
    return Placed(templates[name], R, np.array([0.2, 0.9, 0.4]))


@pytest.mark.parametrize("name", ["boxmedium", "chairwood", "stool", "trashbin", "yogamat", "backpack"])
def test_near_distances_are_the_templates_and_far_ones_bound_them(templates, name):
    thing = placed(templates, name)
    rng = np.random.default_rng(0)
    points = thing.t + rng.uniform(-0.6, 0.6, (4000, 3))
    true = thing.template.sdf((points - thing.t) @ thing.R)
    quick = thing.sdf(points)
    near = true < 0.03
    np.testing.assert_allclose(quick[near], true[near], atol=1e-9)
    assert (quick <= true + 1e-9).all()
    assert (quick[~near] > 0.0).all()


@pytest.mark.parametrize("name", ["boxmedium", "basketball", "stool", "suitcase"])
def test_rays_stop_at_the_surface(templates, name):
    thing = placed(templates, name)
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(30):
        out = rng.normal(size=3)
        origin = thing.t + 1.5 * out / np.linalg.norm(out)
        try:
            point, normal = thing.hit(origin, thing.t - origin)
        except Infeasible:
            continue
        hits += 1
        assert abs(thing.sdf(point[None])[0]) < 5e-4
        assert normal @ (origin - point) > 0
        assert np.linalg.norm(normal) == pytest.approx(1.0)
        between = origin + np.linspace(0, 0.98, 50)[:, None] * (point - origin)
        assert (thing.sdf(between) > 0).all()
    assert hits >= 10
    with pytest.raises(Infeasible, match="misses"):
        thing.hit(thing.t + np.array([0, 2.0, 0]), np.array([1.0, 0.0, 0.0]))


def test_an_object_comes_as_near_as_asked(figure, templates):
    pose = Pose(figure)
    start = Placed(templates["boxmedium"], np.eye(3), pose.joints[6] + np.array([0.0, 0.0, 1.5]))
    thing = approach(pose, "core", start, np.array([0.0, 0.0, 1.0]), clearance=0.02, stop=-1.0)
    assert thing.sdf(pose.skin("core")).min() == pytest.approx(0.02, abs=3e-3)
    assert thing.t[2] < start.t[2]
    np.testing.assert_array_equal(thing.t[:2], start.t[:2])
    halted = approach(pose, "core", start, np.array([0.0, 0.0, 1.0]), clearance=0.02, stop=start.t[2] - 0.3)
    assert halted.t[2] == pytest.approx(start.t[2] - 0.3, abs=3e-3)


@pytest.mark.parametrize("side", [0, 1])
def test_a_pressed_hand_touches_and_its_fingers_close(figure, templates, side):
    s = SIGN[side]
    pose = Pose(figure)
    shoulder = pose.joints[SHOULDER[side]]
    ball = Placed(templates["basketball"], np.eye(3), np.array([0.0, shoulder[1] - 0.25, shoulder[2] + 0.35]))
    set_curls(pose, side, [0.1, 0.1, 0.1, 0.1, -0.5])
    target = HandTarget(
        ball.t + np.array([0.16 * s, 0, 0]),
        np.array([-s, 0.0, 0.0]),
        np.array([0, 0.2, 1.0]),
        np.array([0.4 * s, -0.9, -0.2]),
    )
    press_hand(pose, side, ball, target)
    open_fingers = np.mean([ball.sdf(pose.skin(f"finger{side}{k}")).min() for k in range(4)])
    close_fingers(pose, side, ball, -0.05, 1.3, 0.3)
    closed = [ball.sdf(pose.skin(f"finger{side}{k}")).min() for k in range(4)]
    assert -0.009 < ball.sdf(pose.skin(f"palm{side}")).min() < 0.0
    assert np.mean(closed) < open_fingers
    assert max(closed) < 0.004
    assert min(closed) > -0.009


def test_penetration_and_gaps_are_measured(figure, templates):
    pose = Pose(figure)
    box = templates["boxmedium"]
    chest = pose.skin("chest")
    front = chest[chest[:, 2].argmax()]
    half = 0.5 * np.ptp(box.verts[:, 2])
    inside = Placed(box, np.eye(3), front + np.array([0.0, 0.0, half - 0.02]))
    found = measure(Solved(pose, inside, [Contact("left hand", "volar0")]))
    assert found.depth == pytest.approx(0.02, abs=2e-3)
    assert found.gap > 0.2
    assert found.object_floor == pytest.approx(inside.verts[:, 1].min())
    clear = measure(Solved(pose, inside.moved(np.array([0.0, 0.0, 0.03]))))
    assert clear.depth == 0.0


def test_an_arm_through_the_belly_is_seen(figure):
    pose = Pose(figure)
    assert max(self_depths(pose, pose.skin("all")).values()) < 0.002
    pose.theta[SHOULDER[0]] = rot_z(-1.25)
    pose.theta[ELBOW[0]] = rot_y(-0.3)
    pose.update()
    assert max(self_depths(pose, pose.skin("all")).values()) < 0.015
    pose.theta[SHOULDER[0]] = rot_z(-2.0)
    pose.update()
    found = self_depths(pose, pose.skin("all"))
    assert found["left arm in body"] > 0.03
    assert found["right arm in body"] < 0.002
