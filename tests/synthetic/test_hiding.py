"""Sequences turned so that the person hides a wanted share of the object."""

from dataclasses import replace

import numpy as np
import pytest

from rhobin.behave.ref import read_ref
from rhobin.behave.splits import read_split
from rhobin.body.load import load_bodies
from rhobin.geometry.raycast import Scene
from rhobin.objects.load import load_templates
from rhobin.synthetic.build import build_dataset
from rhobin.synthetic.dressed import posed_bodies
from rhobin.synthetic.hiding import turned_to_hide
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.sequence import generate_sequence

WANTED = (0.3, 0.5, 0.7)
BASE = SequencePlan("Date08_Sub03_boxmedium_carry", 5, "Sub03", "boxmedium", "carry", 1, "Date08", "test")


def test_the_written_masks_show_the_wanted_share(tmp_path):
    plans = [replace(BASE, name=f"{BASE.name}{10 * v:.0f}", visible=(v, v)) for v in WANTED]
    train, val = (replace(BASE, name=f"{BASE.name}_{split}", split=split) for split in ("train", "val"))
    summary = build_dataset(tmp_path, [train, val, *plans], {"size": "test"}, width=160, meshes=False)
    assert (summary.train, summary.val, summary.test) == (1, 1, 3)
    annotations, _ = read_ref(tmp_path)
    for plan in plans:
        assert annotations[plan.name].occ_ratios == pytest.approx(plan.visible[0], abs=0.12)
    assert read_split(tmp_path)["val"] == [val.name]


def test_a_turn_changes_neither_contact_nor_the_place_of_the_floor():
    bodies, template, rig = load_bodies(), load_templates()["boxmedium"], camera_rig("Date08")
    before = generate_sequence(replace(BASE, n_frames=2), bodies, {"boxmedium": template})
    after = turned_to_hide(before, (0.4, 0.4), bodies, template, rig)
    turn = after[0].obj_R @ before[0].obj_R.T
    np.testing.assert_allclose(turn[1], [0, 1, 0], atol=1e-12)
    assert np.trace(turn) < 2.99
    verts = [posed_bodies(bodies, frames, rig).room_verts for frames in (before, after)]
    np.testing.assert_allclose(verts[1], verts[0] @ turn.T, atol=2e-5)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other.obj_R, turn @ one.obj_R, atol=1e-12)
        np.testing.assert_allclose(other.obj_t, turn @ one.obj_t, atol=1e-12)
        np.testing.assert_array_equal(other.pose[3:], one.pose[3:])


def test_what_is_seen_enough_stays_as_it_is_and_what_is_not_is_turned():
    bodies, template, rig = load_bodies(), load_templates()["boxmedium"], camera_rig("Date08")
    frames = generate_sequence(BASE, bodies, {"boxmedium": template})
    assert turned_to_hide(frames, (0.0, 1.0), bodies, template, rig) is frames
    hidden = turned_to_hide(frames, (0.0, 0.0), bodies, template, rig)
    shown = turned_to_hide(hidden, (0.9, 1.0), bodies, template, rig)
    assert past_the_person(hidden[0], bodies, template, rig) < 0.2
    assert past_the_person(shown[0], bodies, template, rig) > 0.9


def past_the_person(frame, bodies, template, rig):
    """Share of the object's vertices that the body does not come before, as kinect 1 sees them."""
    person = Scene([(posed_bodies(bodies, [frame], rig).room_verts[0], bodies[frame.gender].faces.numpy())])
    rays = template.verts @ frame.obj_R.T + frame.obj_t - rig.in_room(1).t
    return 1 - person.occluded(rig.in_room(1).t, rays, 1.0).mean()
