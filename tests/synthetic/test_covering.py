"""People behind a piece of furniture that hides a wanted share of their joints from kinect 1."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rhobin.behave.ref import read_ref
from rhobin.body.load import load_bodies
from rhobin.data.splits import read_test_split
from rhobin.geometry.mesh import sample_surface
from rhobin.metrics.submission import Example
from rhobin.objects.load import load_templates
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.visibility import seen_joints
from rhobin.synthetic.build import build_dataset
from rhobin.synthetic.covering import covering_piece
from rhobin.synthetic.dressed import posed_bodies
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.places.rooms import furnished_room
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.render.layers import room_scene
from rhobin.synthetic.sequence import generate_sequence

WANTED = (0.35, 0.55, 0.75)
BASE = SequencePlan("Date08_Sub03_boxmedium_carry", 5, "Sub03", "boxmedium", "carry", 2, "Date08", "test")
BASE = replace(BASE, visible=(0.3, 1.0), shown=0.5)


def test_the_written_masks_show_the_wanted_share_of_the_joints(tmp_path):
    plans = [replace(BASE, name=f"{BASE.name}{i}", seed=i, shown=s) for i, s in enumerate(WANTED, 1)]
    summary = build_dataset(tmp_path, plans, {"size": "test"}, width=320, meshes=False)
    assert (summary.train, summary.test, summary.views) == (0, 3, 6)
    annotations, _ = read_ref(tmp_path)
    for plan in plans:
        frames, seen = annotations[plan.name].frames, annotations[plan.name].occ_ratios
        examples = [Example(plan.name, frame, "boxmedium", i, i, seen[i]) for i, frame in enumerate(frames)]
        shares = seen_joints(examples, read_challenge(tmp_path), read_test_split(tmp_path)).mean(1)
        assert shares == pytest.approx(plan.shown, abs=0.12)
        assert seen.max() >= 0.3
        written = {
            path.name for path in (tmp_path / "sequences" / plan.name / frames[0]).glob("k*.color.jpg")
        }
        assert written == {"k1.color.jpg"}


def test_a_piece_stands_on_the_floor_and_touches_nothing():
    bodies, template, rig = load_bodies(), load_templates()["boxmedium"], camera_rig("Date08")
    room = furnished_room(rig)
    for seed in range(2):
        plan = replace(BASE, seed=seed)
        frames = generate_sequence(plan, bodies, {"boxmedium": template})
        piece = covering_piece(plan, frames, bodies, template, rig, room, room_scene(room))
        corners = np.concatenate([surface.placed for surface in piece])
        assert corners[:, 1].min() == pytest.approx(0, abs=1e-6)
        others = [template.verts @ frame.obj_R.T + frame.obj_t for frame in frames]
        others += [*posed_bodies(bodies, frames, rig).room_verts, rig.in_room(1).t[None]]
        others += [sampled(surface) for surface in room.surfaces if surface.placed[:, 1].max() > 0.01]
        near = cKDTree(np.concatenate([sampled(surface) for surface in piece]))
        assert near.query(np.concatenate(others))[0].min() > 0.03


def test_a_plan_without_a_share_and_a_room_without_a_place_are_told(monkeypatch):
    bodies, template, rig = load_bodies(), load_templates()["boxmedium"], camera_rig("Date08")
    room, frames = furnished_room(rig), generate_sequence(BASE, bodies, {"boxmedium": template})
    rest = frames, bodies, template, rig, room, room_scene(room)
    with pytest.raises(ValueError, match="found none in the plan"):
        covering_piece(replace(BASE, shown=None), *rest)
    monkeypatch.setattr("rhobin.synthetic.covering._CAMERA_GAP", 9.0)
    with pytest.raises(ValueError, match=r"no free place .* choose another --seed"):
        covering_piece(BASE, *rest)


def sampled(surface):
    return sample_surface(surface.placed, surface.faces, 2000, np.random.default_rng(0))
