"""CHORE's and CONTHO's evaluators: their recorded numbers, and their contact labels by comparing every pair.

The recordings have no contact labels, so these are worked out again here, pair by pair.
"""

from dataclasses import replace

import numpy as np
import pytest
from joint_reference import similarity

from rhobin.geometry.mesh import chamfer_sum
from rhobin.metrics.contact import agreement, f1_of, f1_values, touching
from rhobin.metrics.joint import (
    FrameMeshes,
    SurfaceSamples,
    align_to_target,
    aligned_meshes,
    errors_at_samples,
)
from rhobin.metrics.joint_track import CONTACT, NAMES, PLACES, score_joint
from rhobin.metrics.posing import placed, pose_examples
from rhobin.metrics.protocol import CONTACT_M, JOINT_MODES
from rhobin.metrics.submission import SubmissionError, match_frames

PARTS = ("human_gt", "object_gt", "human_pred", "object_pred")


@pytest.fixture(scope="module")
def recorded(oracle):
    return oracle("chore_contho_eval")


def frame(recorded, row: int, **changes) -> FrameMeshes:
    meshes = (
        recorded[f"eval/{name}"][row] for name in ("pred_human", "pred_object", "gt_human", "gt_object")
    )
    faces = (recorded[f"eval/faces_{part}"].astype(np.int64) for part in ("human", "object"))
    return replace(FrameMeshes(f"frame {row}", *meshes, *faces), **changes)


def samples(recorded, row: int) -> tuple[SurfaceSamples, ...]:
    found = []
    for part in PARTS:
        uv = recorded[f"eval/uv_{part}"][row].astype(np.float64)
        weights = np.column_stack([1 - uv.sum(axis=1), uv])
        found.append(SurfaceSamples(recorded[f"eval/face_{part}"][row].astype(np.int64), weights))
    return tuple(found)


@pytest.mark.parametrize("row", range(4))
def test_surface_errors_are_conthos_at_its_points(recorded, row):
    found = np.array(errors_at_samples(frame(recorded, row), samples(recorded, row))) / 1000
    expected = [recorded[f"eval/contho_chamfer_{part}_m"][row] for part in ("human", "object")]
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("who", ["chore", "contho"])
@pytest.mark.parametrize("row", range(4))
def test_the_alignment_is_theirs(recorded, who, row):
    one = frame(recorded, row)
    pair = (
        np.concatenate(pair) for pair in ((one.pred_body, one.pred_obj), (one.target_body, one.target_obj))
    )
    for found, name in zip(align_to_target(*pair), ("R", "t", "scale"), strict=True):
        np.testing.assert_allclose(found, recorded[f"eval/{who}_{name}"][row], atol=1e-9)


def test_an_object_of_other_vertices_moves_with_the_body_as_in_chore(recorded):
    body, obj = aligned_meshes(frame(recorded, 0))
    np.testing.assert_allclose(body, recorded["eval/chore_aligned_human"][0], atol=1e-5)  # float32
    np.testing.assert_allclose(obj, recorded["eval/chore_aligned_object"][0], atol=1e-9)
    one = frame(recorded, 1)
    fewer = recorded["eval/pred_object"][1][:100]
    _, moved = aligned_meshes(replace(one, pred_obj=fewer))
    expected = recorded["eval/chore_vertex_count_mismatch_object100"]
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    scale, R, t = similarity(one.pred_body, one.target_body)
    np.testing.assert_allclose(moved, scale * fewer @ R.T + t, atol=1e-9)


def test_distances_of_points_are_theirs(recorded):
    x, y = recorded["chamfer/x"], recorded["chamfer/y"]
    assert chamfer_sum(x, y) == pytest.approx(float(recorded["chamfer/bi"]), abs=1e-12)
    both = float(recorded["chamfer/x_to_y"] + recorded["chamfer/y_to_x"])
    assert chamfer_sum(y, x) == pytest.approx(both, abs=1e-12)


def every_pair(body: np.ndarray, obj: np.ndarray, limit: float) -> list[bool]:
    """Contact of each vertex of a body: some vertex of the object is nearer than the limit."""
    return [bool(np.any(np.sqrt(np.sum((vertex - obj) ** 2, axis=1)) < limit)) for vertex in body]


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("kind", ["pred", "gt"])
def test_contact_vertices_are_those_that_every_pair_tells(recorded, kind, row):
    body, obj = recorded[f"eval/{kind}_human"][row][::5], recorded[f"eval/{kind}_object"][row]
    reach = np.sort(np.linalg.norm(body[:, None] - obj[None], axis=-1).min(axis=1))
    limit = float((reach[20] + reach[21]) / 2)  # the recorded meshes are farther apart than 5 cm
    found = touching(body, obj, limit)
    assert found.sum() == 21
    assert found.tolist() == every_pair(body, obj, limit)


def test_five_centimetres_are_no_contact_but_a_little_less_is():
    body = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    obj = np.array([[0, CONTACT_M, 0], [1, CONTACT_M - 1e-9, 0], [2, 0, 0.0]])
    assert touching(body, obj, CONTACT_M).tolist() == [False, True, True]


def test_frames_without_contact_do_not_count_for_what_they_cannot_tell():
    none, some = np.array([False] * 4), np.array([True, True, False, False])
    other = np.array([False, True, True, True])
    assert agreement(other, some) == (pytest.approx(1 / 3), 0.5)
    np.testing.assert_array_equal(agreement(none, some), (np.nan, 0))
    np.testing.assert_array_equal(agreement(some, none), (0, np.nan))
    assert np.isnan(agreement(none, none)).all()


def test_conthos_scores_are_means_over_the_frames_that_count(reference, predictions):
    results = predictions("low72")
    protocol = replace(JOINT_MODES["contho"], samples=60)
    found = score(reference, results, protocol)
    rows = match_frames(reference.annotations, results, protocol).examples
    assert len(rows) == len(found.examples) == sum(len(a.frames) for a in reference.annotations.values())
    precision, recall = [], []
    for one in pose_examples(
        rows, reference.annotations, reference.templates, results, reference.bodies
    ):  # written after CONTHO's evaluator: a list grows only where its denominator is not 0
        told = np.linalg.norm(one.pred_body[:, None] - one.pred_obj[None], axis=-1).min(axis=1) < 0.05
        true = np.linalg.norm(one.target_body[:, None] - one.target_obj[None], axis=-1).min(axis=1) < 0.05
        if told.any():
            precision.append((told & true).sum() / told.sum())
        if true.any():
            recall.append((told & true).sum() / true.sum())
    assert len(recall) < len(rows)
    scores = found.metrics()
    assert scores["Contact_P"] == pytest.approx(np.mean(precision))
    assert scores["Contact_R"] == pytest.approx(np.mean(recall))
    both = np.mean(precision), np.mean(recall)
    assert scores["Contact_F1"] == pytest.approx(2 * both[0] * both[1] / sum(both))
    assert list(scores) == [*NAMES, *(column.name for column in CONTACT)]


def test_values_of_frames_spread_as_f1_does():
    rng = np.random.default_rng(3)
    precision, recall = np.where(rng.random((2, 4000)) < [[0.8], [0.6]], rng.beta(2, 3, (2, 4000)), np.nan)
    values = f1_values(precision, recall)
    assert values.mean() == pytest.approx(f1_of(np.nanmean(precision), np.nanmean(recall)))
    drawn = [
        f1_of(np.nanmean(precision[rows]), np.nanmean(recall[rows]))
        for rows in rng.integers(0, 4000, (600, 4000))
    ]
    assert values.std() / np.sqrt(4000) == pytest.approx(np.std(drawn), rel=0.08)
    assert np.isnan(f1_values(np.full(3, np.nan), np.ones(3))).all()
    assert f1_of(0.0, 0.0) == 0


def score(reference, results, protocol):
    return score_joint(reference.annotations, reference.templates, results, reference.bodies, protocol)


def test_without_alignment_a_moved_prediction_is_off_by_as_much(reference, predictions):
    results = predictions("exact")
    for record in results.values():
        record["trans"], record["obj_trans"] = (record[key] + [0.3, 0, 0.4] for key in ("trans", "obj_trans"))
    protocol = replace(JOINT_MODES["procrustes-none"], samples=300)
    scores = score(reference, results, protocol).metrics()
    assert scores["SMPL_trans"] == pytest.approx(500)
    assert scores["Object_trans"] == pytest.approx(500)
    assert scores["SMPL"] > 300  # both directions, to a surface half a metre away
    assert scores["SMPL_acc"] == pytest.approx(0, abs=1e-9)
    assert list(scores) == [*NAMES, *(column.name for column in PLACES)]
    aligned = score(reference, results, replace(protocol, align=True)).metrics()
    assert aligned["SMPL"] < 0.3 * scores["SMPL"]


def test_translations_of_vertices_do_not_exist(reference, predictions):
    protocol = replace(JOINT_MODES["procrustes-none"], samples=60)
    results = predictions("verts")
    found = score(reference, results, protocol)
    given = np.array(["smpl_verts" in results[example.sequence] for example in found.examples])
    assert 0 < given.sum() < len(given)
    columns = found.columns()
    np.testing.assert_array_equal(np.isnan(columns["human_trans_mm"]), given)
    assert np.isfinite(columns["smpl_mm"]).all()


def test_chore_takes_objects_of_their_own_mesh_and_no_other_protocol_does(reference, predictions):
    results = predictions("low72")
    name = sorted(results)[0]
    template, pose = (
        reference.templates[name.split("_")[2]],
        (results[name][k] for k in ("obj_rots", "obj_trans")),
    )
    results[name]["obj_verts"] = placed(template.verts[:40], *pose)
    results[name]["obj_faces"] = np.array([[i, i + 1, i + 2] for i in range(38)])
    chore = score(reference, results, replace(JOINT_MODES["chore"], samples=100))
    assert np.isfinite(chore.errors.object_mm).all()
    with pytest.raises(SubmissionError, match=r"key 'obj_verts': expected .* vertices, found 40"):
        score(reference, results, replace(JOINT_MODES["official"], samples=100))
    results[name]["obj_faces"][0, 0] = 40
    with pytest.raises(SubmissionError, match=r"'obj_faces': expected integers .* from 0 to 39"):
        score(reference, results, replace(JOINT_MODES["chore"], samples=100))
