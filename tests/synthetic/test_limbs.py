"""Arms and legs of a posed figure, against geometry and the body model."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_body
from rhobin.synthetic.people import regions
from rhobin.synthetic.people.arms import HandTarget, hand_frame, place_hand, twist_and_bend
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.limbs import FootTarget, ball_height, bend_two_bones, place_foot
from rhobin.synthetic.people.pose import (
    ANKLE,
    BALL,
    ELBOW,
    HIP,
    KNEE,
    SHOULDER,
    SIGN,
    WRIST,
    Pose,
    cross,
    frame,
    rotation,
    unit,
)

BETAS = np.linspace(-1.0, 1.0, 10)


@pytest.fixture(scope="module")
def model():
    return load_body("male")


@pytest.fixture(scope="module")
def figure(model):
    return regions.prepare(Figure(model, BETAS))


def test_figure_poses_like_the_body_model(model, figure):
    rng = np.random.default_rng(0)
    pose = Pose(figure)
    pose.theta[:] = Rotation.from_rotvec(rng.normal(0, 0.4, (52, 3))).as_matrix()
    pose.move(np.array([0.3, 1.1, -0.2]))
    pose.update()
    single = {"dtype": torch.float32}
    out = model(
        torch.tensor(pose.theta, **single)[None],
        torch.tensor(BETAS, **single)[None],
        torch.tensor(pose.pelvis - figure.joints[0], **single)[None],
    )
    np.testing.assert_allclose(pose.joints, out.joints[0], atol=2e-6)
    np.testing.assert_allclose(pose.skin("all"), out.verts[0], atol=5e-6)
    palm = figure.patch("palm0").ids
    np.testing.assert_allclose(pose.skin("palm0"), out.verts[0, palm], atol=5e-6)


def test_rotation_helpers_agree_with_scipy():
    rng = np.random.default_rng(1)
    for _ in range(20):
        axis, other, angle = unit(rng.normal(size=3)), rng.normal(size=3), rng.uniform(-3, 3)
        np.testing.assert_allclose(
            rotation(axis, angle), Rotation.from_rotvec(angle * axis).as_matrix(), atol=1e-12
        )
        np.testing.assert_allclose(cross(axis, other), np.cross(axis, other), atol=1e-12)
        R = frame(axis, other)
        np.testing.assert_allclose(R.T @ R, np.eye(3), atol=1e-12)
        assert np.linalg.det(R) == pytest.approx(1.0)


def test_twist_and_bend_take_a_rotation_apart():
    axis = unit(np.array([0.8, -0.1, 0.3]))
    across = unit(np.cross(axis, [0.0, 1.0, 0.0]))
    for twist in (-2.0, -0.4, 0.0, 1.3):
        for bend in (0.0, 0.7, 1.4):
            R = rotation(across, bend) @ rotation(axis, twist)
            np.testing.assert_allclose(twist_and_bend(R, axis), (twist, bend), atol=1e-7)


@pytest.mark.parametrize("distance", [0.2, 0.4, 0.5])
def test_two_bones_end_at_the_tip(distance):
    root, tip = np.array([0.1, 1.4, 0.0]), np.array([0.1, 1.4, distance])
    upper, lower, hinge, reach = bend_two_bones(root, tip, (0.28, 0.26), np.array([0.0, -1.0, 0.0]))
    np.testing.assert_allclose(root + 0.28 * upper + 0.26 * lower, tip, atol=1e-9)
    assert upper[1] < 0  # the joint is on the pole's side
    assert abs(hinge @ upper) < 1e-9
    assert reach == pytest.approx(distance / 0.54)


def test_two_bones_report_targets_beyond_reach():
    _, _, _, reach = bend_two_bones(
        np.zeros(3), np.array([0.0, 0.0, 0.8]), (0.28, 0.26), np.array([0.0, -1.0, 0.0])
    )
    assert reach > 1.4


@pytest.mark.parametrize("side", [0, 1])
def test_palm_reaches_its_target(figure, side):
    s = SIGN[side]
    pose = Pose(figure)
    normal = unit(np.array([-s, 0.2, 0.1]))
    palm = pose.joints[SHOULDER[side]] + np.array([-0.05 * s, -0.3, 0.35])
    target = HandTarget(palm, normal, np.array([0.0, 0.2, 1.0]), unit(np.array([s * 0.5, -1.0, -0.4])))
    state, settled = place_hand(pose, side, target)
    np.testing.assert_allclose(pose.skin(f"palm{side}").mean(axis=0), palm, atol=0.006)  # skin moves a little
    hand = pose.G[WRIST[side]] @ hand_frame(figure, side)
    np.testing.assert_allclose(hand[:, 1], normal, atol=1e-9)
    assert 0.3 < state.reach < 1.0
    assert pose.joints[ELBOW[side], 1] < pose.joints[SHOULDER[side], 1]
    before = pose.theta.copy()
    place_hand(pose, side, settled)
    np.testing.assert_allclose(pose.theta, before, atol=1e-9)


@pytest.mark.parametrize("side", [0, 1])
def test_elbows_bend_one_way(figure, side):
    """The elbow is a hinge: besides the twist about the forearm its rotation is about one axis."""
    rng = np.random.default_rng(side)
    s = SIGN[side]
    for _ in range(20):
        pose = Pose(figure)
        palm = pose.joints[SHOULDER[side]] + np.array(
            [s * rng.uniform(-0.2, 0.2), rng.uniform(-0.4, 0.1), 0.35]
        )
        target = HandTarget(
            palm, unit(rng.normal(size=3)), rng.normal(size=3), np.array([0.4 * s, -0.8, -0.3])
        )
        place_hand(pose, side, target)
        fore = unit(figure.joints[WRIST[side]] - figure.joints[ELBOW[side]])
        bent = pose.theta[ELBOW[side]] @ fore
        assert abs(bent[1] - fore[1]) < 0.02
        assert bent[2] >= fore[2] - 1e-6  # towards the front of the T-pose, never backwards


@pytest.mark.parametrize("side", [0, 1])
def test_feet_stand_level_and_knees_bend_forward(figure, side):
    pose = Pose(figure)
    pose.move(np.array([0.0, 0.8, 0.0]) - pose.pelvis)
    place = np.array([0.12 * SIGN[side], ball_height(figure, side), 0.15])
    reach = place_foot(pose, side, FootTarget(place, 0.2, 0.0, np.array([0.0, 0.0, 1.0])))
    assert reach < 1.0
    np.testing.assert_allclose(pose.joints[BALL[side]], place, atol=1e-6)
    sole = pose.skin(f"sole{side}")
    assert sole[:, 1].min() == pytest.approx(0.0, abs=1e-3)
    hip, knee, ankle = pose.joints[[HIP[side], KNEE[side], ANKLE[side]]]
    assert knee[2] > 0.5 * (hip + ankle)[2]


def test_a_raised_heel_leaves_the_toes_on_the_floor(figure):
    pose = Pose(figure)
    pose.move(np.array([0.0, 0.85, 0.0]) - pose.pelvis)
    ball = np.array([0.12, ball_height(figure, 0), -0.15])
    place_foot(pose, 0, FootTarget(ball, 0.0, 0.5, np.array([0.0, 0.0, 1.0])))
    assert pose.skin("toe0")[:, 1].min() == pytest.approx(0.0, abs=0.004)
    assert pose.joints[ANKLE[0], 1] > ball_height(figure, 0) + 0.08
