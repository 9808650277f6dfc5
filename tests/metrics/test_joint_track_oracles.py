"""The joint evaluator against the official code's recorded outputs."""

from __future__ import annotations

import numpy as np
import pytest
from joint_reference import VARIANTS, nested

from rhobin.metrics.joint import SurfaceSamples, align_to_target, errors_at_samples
from rhobin.metrics.joint_track import score_joint
from rhobin.metrics.posing import pose_examples
from rhobin.metrics.protocol import OFFICIAL_2023, JointProtocol
from rhobin.metrics.submission import SubmissionError, match_frames

PARTS = ("smpl_gt", "obj_gt", "smpl_pred", "obj_pred")


def score(reference, results, **protocol):
    return score_joint(
        reference.annotations, reference.templates, results, reference.bodies, JointProtocol(**protocol)
    )


def recorded_samples(out: dict, part: str, row: int) -> SurfaceSamples:
    uv = out[f"uv_{part}"][row].astype(np.float64)
    weights = np.column_stack([1 - uv.sum(1), uv])
    return SurfaceSamples(out[f"face_{part}"][row].astype(np.int64), weights)


@pytest.mark.parametrize("variant", VARIANTS)
def test_errors_at_recorded_points(variant, reference, predictions, oracle):
    out = nested(oracle(f"rhobin_out_{variant}"))["joint"]
    results = predictions(variant)
    matching = match_frames(reference.annotations, results, OFFICIAL_2023)
    names = sorted(reference.annotations)
    index = [(names.index(e.sequence), e.target, e.pred) for e in matching.examples]
    np.testing.assert_array_equal(index, out["example_index"])

    meshes = pose_examples(
        matching.examples, reference.annotations, reference.templates, results, reference.bodies
    )
    errors = np.array(
        [
            errors_at_samples(frame, tuple(recorded_samples(out, part, row) for part in PARTS))
            for row, frame in enumerate(meshes)
        ]
    )
    np.testing.assert_allclose(errors[:, 0], out["err_smpl_mm"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(errors[:, 1], out["err_obj_mm"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(errors.mean(0), out["scores"], atol=1e-6, rtol=0)

    for row, frame in enumerate(meshes):
        pred = np.concatenate([frame.pred_body, frame.pred_obj])
        R, t, s = align_to_target(pred, np.concatenate([frame.target_body, frame.target_obj]))
        np.testing.assert_allclose(R, out["R"][row], atol=1e-9)
        np.testing.assert_allclose(t, out["t_m"][row], atol=1e-9)
        np.testing.assert_allclose(s, out["scale"][row], atol=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_score_lies_within_the_official_seed_spread(variant, reference, predictions, oracle):
    seeds = oracle(f"rhobin_spread_{variant}")["joint/scores_seeds"]
    found = score(reference, predictions(variant))
    ours = np.array(list(found.metrics().values()))
    assert (np.abs(ours - seeds.mean(0)) < 4 * seeds.std(0, ddof=1)).all()


def drop_row(record: dict, row: int) -> dict:
    kept = [i for i in range(len(record["frames"])) if i != row]
    return {
        key: value[kept] if isinstance(value, np.ndarray) else value
        for key, value in record.items()
        if key != "frames"
    } | {"frames": [record["frames"][i] for i in kept]}


def first_sequence(reference) -> str:
    return sorted(reference.annotations)[0]


EDITS = {
    "baseline": lambda results, first: results,
    "extra_sequence": lambda results, first: results | {"Date03_Sub09_stool_extra": results[first]},
    "one_frame_missing": lambda results, first: results | {first: drop_row(results[first], 0)},
    "missing_gender": lambda results, first: (
        results | {first: {k: v for k, v in results[first].items() if k != "gender"}}
    ),
    "scale_ndarray": lambda results, first: results,
}


@pytest.mark.parametrize("case", EDITS)
def test_edited_submissions_score_as_recorded(case, reference, predictions, recorded_cases):
    record = recorded_cases[case]
    results = EDITS[case](predictions(record["base_variant"]), first_sequence(reference))
    found = score(reference, results, samples=300)
    assert found.metrics() == pytest.approx(record["errors"], rel=0.02)
    assert f"{100 * found.coverage:.2f}% frames are reconstructed" == record["log"][0]


def test_frames_may_be_an_array(reference, predictions):
    results = predictions("low72")
    listed = score(reference, results, samples=100)
    for record in results.values():
        record["frames"] = np.array(record["frames"])
    assert score(reference, results, samples=100).metrics() == listed.metrics()


BROKEN = {
    "poses missing": (lambda r: r.pop("poses"), "'poses' is missing"),
    "axis-angle object": (
        lambda r: r.update(obj_rots=np.zeros((12, 3))),
        r"'obj_rots'.*\(12, 3, 3\).*\(12, 3\)",
    ),
    "NaN pose": (
        lambda r: r["poses"].__setitem__((slice(None), 0), np.nan),
        "'poses'.*frame .* not a finite",
    ),
    "infinite translation": (lambda r: r["obj_trans"].__setitem__((slice(None), 1), np.inf), "'obj_trans'"),
    "words": (lambda r: r.update(betas=[["a"] * 10] * 12), "'betas'.*not an array of numbers"),
    "too short": (lambda r: r.update(trans=r["trans"][:5]), "'trans'.*expected shape"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_submissions_are_refused_by_name(name, reference, predictions):
    edit, message = BROKEN[name]
    results = predictions("low72")
    first = first_sequence(reference)
    edit(results[first])
    with pytest.raises(SubmissionError, match=rf"results.pkl: sequence {first}: .*{message}"):
        score_joint(
            reference.annotations, reference.templates, results, reference.bodies, source="results.pkl"
        )


def test_a_missing_sequence_is_named(reference, predictions):
    results = predictions("low72")
    del results[first_sequence(reference)]
    with pytest.raises(SubmissionError, match=f"my.pkl: sequence '{first_sequence(reference)}' is missing"):
        score_joint(reference.annotations, reference.templates, results, reference.bodies, source="my.pkl")


def test_vertices_of_another_mesh_are_refused(reference, predictions):
    results = predictions("low72")
    first = first_sequence(reference)
    results[first]["smpl_verts"] = np.zeros((12, 7, 3))
    with pytest.raises(SubmissionError, match="'smpl_verts': expected 536 vertices, found 7"):
        score(reference, results)
