"""Generated sequences of every action, measured with the body model and the analytic objects."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_bodies
from rhobin.objects.load import load_templates
from rhobin.synthetic import sequence
from rhobin.synthetic.interactions.table import INTERACTIONS
from rhobin.synthetic.people.subjects import SUBJECTS
from rhobin.synthetic.plan import SequencePlan, actions_of
from rhobin.synthetic.sequence import generate_sequence

FRAMES = 3


@pytest.fixture(scope="module")
def bodies():
    return load_bodies()


@pytest.fixture(scope="module")
def templates():
    return load_templates()


def plan_of(action: str, name: str, seed: int = 5, frames: int = FRAMES) -> SequencePlan:
    subject = list(SUBJECTS)[(seed + len(name) + len(action)) % 8]
    label = f"Date01_{subject}_{name}_{action}"
    return SequencePlan(label, seed, subject, name, action, frames, "Date01", "train")


@pytest.fixture(scope="module")
def sequences(bodies, templates):
    """One sequence of every action, with objects taking turns."""
    plans = []
    for k, (action, entry) in enumerate(INTERACTIONS.items()):
        names = sorted(entry.objects)
        plans.append(plan_of(action, names[k % len(names)]))
    return {plan.action: (plan, generate_sequence(plan, bodies, templates)) for plan in plans}


def skin(bodies, frame) -> np.ndarray:
    model = bodies[frame.gender]
    theta = Rotation.from_rotvec(frame.pose.reshape(52, 3)).as_matrix()
    tensors = [torch.tensor(x, dtype=torch.float32)[None] for x in (theta, frame.betas, frame.trans)]
    return model(*tensors).verts[0].double().numpy()


def distances(templates, frame, points) -> np.ndarray:
    return templates[frame.object_name].sdf((points - frame.obj_t) @ frame.obj_R)


@pytest.mark.parametrize("action", list(INTERACTIONS))
def test_contact_is_within_the_limits(sequences, bodies, templates, action):
    _, frames = sequences[action]
    assert len(frames) == FRAMES
    for frame in frames:
        verts = skin(bodies, frame)
        distance = distances(templates, frame, verts)
        limit = 0.025 if frame.kind == "sit" else 0.015
        assert distance.min() > -limit - 1e-4
        assert distance.min() < 0.0  # something touches
        assert frame.report.depth_mm >= -1e3 * distance.min() - 0.1
        assert frame.report.contacts
        assert frame.report.gap_mm <= 8.0
        assert frame.report.self_mm <= 15.0
        thing = templates[frame.object_name].verts @ frame.obj_R.T + frame.obj_t
        assert thing[:, 1].min() > -0.005
        if INTERACTIONS[action].rests:
            assert thing[:, 1].min() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("action", list(INTERACTIONS))
def test_declared_hands_and_feet_touch(sequences, bodies, templates, action):
    """The limb named by a contact has skin within the gap limit, found by skinning weights."""
    _, frames = sequences[action]
    joints = {"left hand": [20, *range(22, 37)], "right hand": [21, *range(37, 52)]}
    joints |= {"left foot": [7, 10], "right foot": [8, 11], "seat": [0, 1, 2], "trunk": [0, 3, 6, 9, 12, 15]}
    for frame in frames:
        weights = bodies[frame.gender].skin(torch.eye(52)).numpy()
        verts = skin(bodies, frame)
        for name in frame.report.contacts:
            joint = joints[name] + ([1, 2, 4, 5, 7, 8, 10, 11, 13, 14] if name == "trunk" else [])
            own = np.isin(weights.argmax(axis=1), joint)
            assert distances(templates, frame, verts[own]).min() < 0.008, name


@pytest.mark.parametrize("action", list(INTERACTIONS))
def test_feet_are_on_the_floor_and_carry_the_body(sequences, bodies, action):
    _, frames = sequences[action]
    for frame in frames:
        verts = skin(bodies, frame)
        assert abs(verts[:, 1].min()) < 0.004
        if frame.kind in ("carry", "hold", "hug"):
            model = bodies[frame.gender]
            corners = verts[model.faces.numpy()]
            area = np.linalg.norm(
                np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
            )
            mass = (corners.mean(axis=1) * area[:, None]).sum(axis=0) / area.sum()
            low = verts[verts[:, 1] < 0.05][:, [0, 2]]
            hull = ConvexHull(low)
            outside = (hull.equations[:, :2] @ mass[[0, 2]] + hull.equations[:, 2]).max()
            assert outside < 0.08


@pytest.mark.parametrize("action", list(INTERACTIONS))
def test_frames_are_one_motion(sequences, bodies, templates, action):
    _, frames = sequences[action]
    steps = []
    for a, b in pairwise(frames):
        assert np.linalg.norm(a.trans - b.trans) < 0.8
        turn = Rotation.from_matrix(a.obj_R.T @ b.obj_R).magnitude()
        limbs = Rotation.from_rotvec(a.pose.reshape(52, 3)[1:22]).inv() * Rotation.from_rotvec(
            b.pose.reshape(52, 3)[1:22]
        )
        assert turn < np.radians(100)
        assert np.degrees(limbs.magnitude()).mean() < 25
        steps.append(np.abs(a.pose - b.pose).max())
        np.testing.assert_array_equal(a.betas, b.betas)
    assert min(steps) > 0.01  # and it moves
    if INTERACTIONS[action].rests:
        assert np.ptp([f.obj_t for f in frames], axis=0).max() < 1e-6


@pytest.mark.parametrize("action", ["carry", "sit"])
def test_the_seed_decides(sequences, bodies, templates, action):
    plan, frames = sequences[action]
    again = generate_sequence(plan, bodies, templates)
    for a, b in zip(frames, again, strict=True):
        assert a.report == b.report
        for name in ("pose", "trans", "obj_R", "obj_t"):
            assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
    other = generate_sequence(replace(plan, seed=plan.seed + 1), bodies, templates)
    assert not np.allclose(other[0].pose, frames[0].pose)


def test_knees_and_elbows_bend_the_right_way(sequences):
    for _, frames in sequences.values():
        for frame in frames:
            pose = frame.pose.reshape(52, 3)
            assert (pose[[4, 5], 0] > -0.05).all()  # shins go back
            assert (np.abs(pose[[4, 5], 1:]) < 0.12).all()  # and knees are hinges
            assert pose[18, 1] < 0.05  # left forearm to the front
            assert pose[19, 1] > -0.05


def test_every_object_is_used_in_several_ways(templates):
    used = {name for entry in INTERACTIONS.values() for name in entry.objects}
    assert used == set(templates)
    assert len({entry.kind for entry in INTERACTIONS.values()}) >= 9
    assert min(len(actions_of(name)) for name in templates) >= 2


def test_object_yaw_varies_within_45_degrees_of_the_person(bodies, templates):
    """Relative to the pelvis' own facing direction, over many sequences."""
    yaws = []
    for seed in range(8):
        frame = generate_sequence(plan_of("carry", "boxsmall", seed, 1), bodies, templates)[0]
        facing = Rotation.from_rotvec(frame.pose[:3]).as_matrix()[:, 2]
        front = frame.obj_R[:, 2]
        yaws.append(np.degrees(np.arctan2(front[0], front[2]) - np.arctan2(facing[0], facing[2])))
    yaws = (np.array(yaws) + 180) % 360 - 180
    assert np.abs(yaws).max() < 50
    assert np.ptp(yaws) > 30


def test_palms_rather_than_backs_of_hands_touch(sequences, bodies, templates):
    for action in ("carry", "lift", "touch", "push", "palm"):
        _, frames = sequences[action]
        model = bodies[frames[0].gender]
        rest = model.template.reshape(-1, 3).numpy()
        part = model.skin(torch.eye(52)).argmax(dim=1).numpy()
        for frame in frames:
            verts = skin(bodies, frame)
            distance = distances(templates, frame, verts)
            for side, wrist in (("left hand", 20), ("right hand", 21)):
                if side in frame.report.contacts:
                    hand = np.flatnonzero(part == wrist)
                    height = rest[hand, 1]
                    middle = 0.5 * (height.min() + height.max())
                    touching = hand[distance[hand] < 0.003]
                    assert len(touching) == 0 or rest[touching, 1].mean() < middle


def test_impossible_plans_are_explained(bodies, templates, monkeypatch):
    good = plan_of("carry", "boxsmall")
    with pytest.raises(ValueError, match="unknown action 'juggle'; known: carry"):
        generate_sequence(replace(good, action="juggle"), bodies, templates)
    with pytest.raises(ValueError, match="nobody does 'sit' with 'keyboard'; known: boxlarge"):
        generate_sequence(replace(good, action="sit", object_name="keyboard"), bodies, templates)
    with pytest.raises(ValueError, match="unknown subject 'Sub09'; known: Sub01"):
        generate_sequence(replace(good, subject="Sub09"), bodies, templates)
    monkeypatch.setattr(sequence, "SELF_LIMIT", -1.0)
    monkeypatch.setattr(sequence, "_PATHS", 2)
    with pytest.raises(ValueError, match="no motion of 3 frames within the contact limits in 2 attempts"):
        generate_sequence(good, bodies, templates)
