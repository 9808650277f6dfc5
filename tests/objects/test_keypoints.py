import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.objects.keypoints import MIN_CONDITION, SIGNS, choose_keypoints, condition
from rhobin.objects.load import load_templates
from rhobin.objects.primitives import Box, Sphere

RECORD = Path(__file__).parent / "keypoints.json"
TEMPLATES = load_templates()


def test_signs_run_x_fastest():
    assert SIGNS[:5].tolist() == [[-1, -1, -1], [1, -1, -1], [-1, 1, -1], [1, 1, -1], [-1, -1, 1]]


def test_a_box_gives_its_corners_in_order():
    verts, _ = Box(size=(0.6, 0.4, 0.2)).mesh()
    np.testing.assert_allclose(verts[choose_keypoints(verts)], SIGNS * (0.3, 0.2, 0.1))


def test_a_vertex_taken_twice_goes_to_the_next_best():
    """In a pyramid the apex is the best of four patterns; each still gets a vertex of its own."""
    base = SIGNS[SIGNS[:, 1] < 0] * (1, 0, 1)
    rings = [base * (1 - h) + (0, h, 0) for h in (0, 0.25, 0.5, 0.75)]
    verts = np.concatenate([*rings, [[0, 1.0, 0]]])
    chosen = choose_keypoints(verts - verts.mean(axis=0))
    assert len(set(chosen)) == 8


def test_ties_go_to_the_lowest_index_whatever_the_rounding():
    verts = np.concatenate([SIGNS, SIGNS * (1 + 1e-12), SIGNS * 0.5])
    assert choose_keypoints(verts).tolist() == list(range(8))


def test_a_bar_lying_askew_gets_keypoints_along_its_principal_axes():
    verts, _ = Box(size=(1.0, 0.15, 0.14), spacing=0.03).mesh()
    turn = Rotation.from_rotvec([0.4, 0.9, 0.7]).as_matrix()
    points = verts @ turn.T
    chosen = choose_keypoints(points)
    assert condition(points[chosen]) > 0.12
    corners = SIGNS * (0.5, 0.075, 0.07)
    gap = np.linalg.norm(verts[chosen][:, None] - corners[None], axis=2).min(axis=1)
    assert gap.max() < 1e-9


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_have_eight_distinct_well_conditioned_keypoints(name):
    template = TEMPLATES[name]
    assert len(set(template.kpt_ids)) == 8
    assert condition(template.kpts) >= MIN_CONDITION
    np.testing.assert_array_equal(template.kpts, template.verts[template.kpt_ids])


def test_keypoints_are_those_on_record():
    """Labels of generated data sets and trained networks depend on them; a change must be meant."""
    record = json.loads(RECORD.read_text())
    found = {
        name: {"sha256": t.sha256, "vertices": len(t.verts), "keypoints": t.kpt_ids.tolist()}
        for name, t in TEMPLATES.items()
    }
    assert found == record


@pytest.mark.parametrize(
    ("verts", "message"),
    [
        (np.eye(3), "at least 8 vertices"),
        (np.random.default_rng(0).normal(size=(20, 3)) * (1, 1, 0), "one plane"),
    ],
)
def test_hopeless_meshes_are_refused(verts, message):
    with pytest.raises(ValueError, match=message):
        choose_keypoints(verts)


def test_a_ball_is_well_conditioned_in_any_orientation():
    verts, _ = Sphere(radius=0.3).mesh()
    for turn in Rotation.random(10, random_state=0).as_matrix():
        assert condition(verts[choose_keypoints(verts @ turn.T)]) > 0.5
