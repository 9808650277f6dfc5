"""Errors to expect of joints: recovered, fitted on other sequences, kept for the checkpoint's other data."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from rhobin.metrics.human import HumanErrors, human_errors
from rhobin.metrics.human_track import HumanScore
from rhobin.metrics.protocol import HUMAN_MODES
from rhobin.metrics.submission import Example
from rhobin.scoring.collect import Further
from rhobin.scoring.document import ScoredRow, frames_table
from rhobin.scoring.joint_errors import judged_joints, keep_lines, rank_correlation
from rhobin.scoring.joint_lines import (
    JOINT_ERRORS,
    SIGMA,
    cross_fitted,
    fit_line,
    fit_lines,
    read_lines,
)
from rhobin.scoring.store import Provenance, read_further, write_results
from rhobin.scoring.trust import calibrated, judge

ORIGIN = Provenance("duel", "Duel", "a1", "best.ckpt", "c" * 64, "cfg", "data", "official", "stand-in", "")
OFFSET, SLOPE = np.linspace(0, 60, 24), np.linspace(2, 0.3, 24)
OFFSET[0] = SLOPE[0] = 0


def simulated(count=400, seed=0, per_sequence=10):
    """Uncertainties (N, 29), errors (N, 24) whose means are known lines of them, and sequences."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(10, 200, (count, 29))
    error = rng.exponential(size=(count, 24)) * (OFFSET + SLOPE * sigma[:, :24])
    return sigma, error, [f"Date01_Sub01_stool_{i // per_sequence:03d}" for i in range(count)]


def test_known_lines_are_recovered():
    sigma, error, _ = simulated(20_000)
    lines = fit_lines(sigma[:, :24], error)
    np.testing.assert_allclose(lines.offset_mm, OFFSET, atol=3)
    np.testing.assert_allclose(lines.slope, SLOPE, atol=0.05)
    assert lines.offset_mm[0] == lines.slope[0] == 0
    np.testing.assert_allclose(lines(np.full((1, 24), 100.0))[0], OFFSET + 100 * SLOPE, rtol=0.03)


@pytest.mark.parametrize("joint", [1, 12, 23])
def test_no_other_line_is_likelier(joint):
    sigma, error, _ = simulated(300)
    x, y = sigma[:, joint], error[:, joint]

    def loss(offset, slope):
        expected = offset + slope * x
        return np.mean(np.log(expected) + y / expected)

    offset, slope = fit_line(x, y)
    best = min(loss(a, b) for a in np.linspace(0, 120, 41) for b in np.linspace(0, 3, 61) if a + b > 0)
    assert loss(offset, slope) <= best + 1e-9


def test_an_uncertainty_that_falls_with_the_error_becomes_the_mean_error():
    x = np.linspace(1, 100, 200)
    offset, slope = fit_line(x, 300 - 2 * x)
    assert slope == 0
    assert offset == pytest.approx((300 - 2 * x).mean())


def test_a_frame_never_calibrates_itself_nor_its_sequence():
    sigma, error, sequences = simulated(200)
    told = cross_fitted(sigma[:, :24], error, sequences)
    first = np.array(sequences) == sequences[0]
    changed = cross_fitted(sigma[:, :24], np.where(first[:, None], 10 * error, error), sequences)
    np.testing.assert_array_equal(changed[first], told[first])
    others = np.array([name[-3:] for name in sequences]).astype(int) % 5 != 0  # the other four parts
    assert (changed[others][:, 1:] != told[others][:, 1:]).all()


def test_frames_without_a_score_are_told_and_not_fitted():
    sigma, error, sequences = simulated(200)
    unscored = np.arange(200) % 7 == 0
    error[unscored] = np.nan
    told = cross_fitted(sigma[:, :24], error, sequences)
    assert np.isfinite(told).all()
    kept = [name for name, lost in zip(sequences, unscored, strict=True) if not lost]
    np.testing.assert_allclose(told[~unscored], cross_fitted(sigma[~unscored, :24], error[~unscored], kept))
    error[np.array(sequences) != sequences[0]] = np.nan
    assert cross_fitted(sigma[:, :24], error, sequences) is None


def test_rank_correlation_is_spearman_s():
    told, found = np.random.default_rng(0).integers(0, 9, (2, 200))
    assert rank_correlation(told, found) == pytest.approx(spearmanr(told, found).statistic)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5)))


def test_every_joint_is_measured_from_the_pelvis():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(2, 24, 3))
    pred = true + np.array([5.0, 0, 0])  # a shift of all changes nothing
    pred[1, 20] += [0.03, 0, 0.04]
    turned = np.tile(np.eye(3), (2, 24, 1, 1))
    errors = human_errors(pred, turned, true, turned)
    expected = np.zeros((2, 24))
    expected[1, 20] = 50
    np.testing.assert_allclose(errors.distance_mm, expected, atol=1e-9)
    np.testing.assert_allclose(errors.mpjpe_mm, expected.mean(axis=1), atol=1e-9)
    assert errors.joint_mm[1, 10] == errors.distance_mm[1, 20]


def scored(count=400, per_sequence=10):
    """A score whose errors are `simulated`, and further predictions in another order."""
    sigma, error, sequences = simulated(count, per_sequence=per_sequence)
    examples = tuple(Example(name, f"t{i:04d}.000", "stool", i, i, 0.9) for i, name in enumerate(sequences))
    nothing = np.zeros((count, 9))
    errors = HumanErrors(
        error.mean(1), error.mean(1), error, error, nothing, nothing, np.zeros((count, 3, 3))
    )
    score = HumanScore(examples, errors, count, 1.0, (), HUMAN_MODES["official"])
    order = np.random.default_rng(3).permutation(count)
    names = np.array([e.sequence for e in examples]), np.array([e.frame for e in examples])
    further = Further(names[0][order], names[1][order], {SIGMA: sigma[order].astype(np.float32)})
    return {"human": {"duel": ScoredRow(score)}}, further, sigma, error, order


def test_uncertainty_finds_its_frames():
    scores, further, sigma, error, order = scored()
    judged, told = judged_joints(scores, "duel", further)
    row = judged["human"]["duel"]
    expected = OFFSET + SLOPE * sigma[order, :24]
    assert np.abs(told.arrays[JOINT_ERRORS] / np.maximum(expected, 1) - 1)[:, 1:].mean() < 0.1
    back = np.empty((400, 24))
    back[order] = told.arrays[JOINT_ERRORS]
    np.testing.assert_allclose(row.columns["expected_mpjpe_mm"], back.mean(1), rtol=1e-5)
    measured = row.more["joint_errors"]
    given, calibrated = measured["as_given"], measured["calibrated"]
    assert given["calibration_error_mm"] > 20
    assert calibrated["calibration_error_mm"] < 8
    flat = back[:, 1:].ravel(), error[:, 1:].ravel()
    assert calibrated["spearman"] == pytest.approx(spearmanr(*flat).statistic, abs=1e-4)
    assert calibrated["ause_mm"] < measured["each_mean"]["ause_mm"]
    assert measured["each_mean"]["spearman_frames"] is None
    assert list(measured["by_joint"])[18] == "right_elbow"
    assert measured["by_joint"]["right_elbow"]["error_mm"] == pytest.approx(error[:, 19].mean())
    json.dumps(measured, allow_nan=False)
    head, first, *_ = frames_table(judged).splitlines()
    line = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(line["expected_mpjpe_mm"]) == pytest.approx(back[0].mean(), abs=1e-3)


def test_frames_by_image_keep_their_sequence():
    scores, further, *_ = scored()
    score = scores["human"]["duel"].score
    by_image = tuple(
        replace(e, sequence="behave_male_stool", frame=f"{e.sequence}-{e.frame}-k1") for e in score.examples
    )
    renamed = {"human": {"duel": ScoredRow(replace(score, examples=by_image))}}
    expected = judged_joints(scores, "duel", further)[1].arrays[JOINT_ERRORS]
    np.testing.assert_array_equal(judged_joints(renamed, "duel", further)[1].arrays[JOINT_ERRORS], expected)


def test_one_sequence_is_judged_and_not_calibrated(tmp_path):
    scores, further, *_ = scored(count=20, per_sequence=20)
    judged, told = judged_joints(scores, "duel", further)
    assert told is further
    row = judged["human"]["duel"]
    assert {"calibrated", "lines"}.isdisjoint(row.more["joint_errors"])
    assert row.columns == {}
    keep_lines(tmp_path, judged, ORIGIN)
    assert read_lines(tmp_path) is None


def test_without_an_uncertainty_nothing_changes(tmp_path):
    scores, further, *_ = scored()
    silent = replace(further, arrays={})
    assert judged_joints(scores, "duel", silent) == (scores, silent)
    assert judged_joints({"joint": {}}, "duel", further)[0] == {"joint": {}}
    assert judge(tmp_path, scores, ORIGIN, silent) == scores
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.ones((400, 24)), r"shape \(400, 24\)"),
        (np.ones(400), r"shape \(400,\)"),
        (np.full((400, 29), np.nan), "nan"),
        (np.full((400, 29), -1.0), "-1"),
    ],
)
def test_an_uncertainty_of_another_kind_is_refused(values, found):
    scores, further, *_ = scored()
    with pytest.raises(ValueError, match=rf"expected shape \(400, 29\), .* found {found}"):
        judged_joints(scores, "duel", replace(further, arrays={SIGMA: values}))


def test_later_predictions_of_the_checkpoint_are_told_their_errors(tmp_path):
    scores, further, sigma, error, _ = scored()
    keep_lines(tmp_path, judged_joints(scores, "duel", further)[0], ORIGIN)
    later = calibrated(further, tmp_path, replace(ORIGIN, data_hash="other data"))
    lines = fit_lines(sigma[:, :24].astype(np.float32).astype(np.float64), error)
    expected = lines(further.arrays[SIGMA][:, :24])
    np.testing.assert_allclose(later.arrays[JOINT_ERRORS], expected, rtol=1e-5)
    for stale in ({"checkpoint_hash": "d" * 64, "data_hash": "other data"}, {}):
        assert JOINT_ERRORS not in calibrated(further, tmp_path, replace(ORIGIN, **stale)).arrays


def test_judged_predictions_are_stored_with_their_errors(tmp_path):
    scores, further, *_ = scored()
    write_results(tmp_path, {"a": {"frames": ["t0"]}}, ORIGIN, further)
    judge(tmp_path, scores, ORIGIN, further)
    stored = read_further(tmp_path)
    expected = judged_joints(scores, "duel", further)[1].arrays
    assert stored.arrays.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(stored.arrays[name], values)
    assert read_lines(tmp_path).frames == 400
