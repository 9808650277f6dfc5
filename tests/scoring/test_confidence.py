"""A confidence is measured and calibrated, against cases by hand, plain loops and other curves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import ObjectScore
from rhobin.metrics.protocol import OBJECT_MODES
from rhobin.metrics.submission import Example
from rhobin.scoring.calibration import (
    CONFIDENCE,
    cross_fitted,
    fit_calibrator,
    read_calibration,
    with_probability,
)
from rhobin.scoring.collect import Further
from rhobin.scoring.confidence import judged_scores, keep_calibration
from rhobin.scoring.document import ScoredRow, frames_table
from rhobin.scoring.risk import (
    brier,
    calibration_error,
    oracle_curve,
    reliability,
    risk_curve,
    risk_of_surest,
    separation,
)
from rhobin.scoring.store import Provenance

ORIGIN = Provenance("duel", "Duel", "a1", "best.ckpt", "c" * 64, "cfg", "data", "official", "stand-in", "")


def simulated(count=600, seed=0, per_sequence=10):
    """Confidence, whether right with a chance that rises with it, and the sequence of each frame."""
    rng = np.random.default_rng(seed)
    confidence = rng.random(count)
    right = rng.random(count) < confidence**2
    return confidence, right, [f"Date01_Sub01_stool_{i // per_sequence:03d}" for i in range(count)]


def test_risk_by_hand():
    confidence, wrong = np.array([0.2, 0.9, 0.5, 0.7]), np.array([1.0, 0.0, 1.0, 0.0])
    np.testing.assert_allclose(risk_curve(confidence, wrong), [0, 0, 1 / 3, 1 / 2])
    np.testing.assert_allclose(oracle_curve(wrong), [0, 0, 1 / 3, 1 / 2])
    np.testing.assert_allclose(risk_curve(-confidence, wrong), [1, 1, 2 / 3, 1 / 2])


def test_frames_of_equal_confidence_are_taken_in_no_order():
    wrong = np.array([1.0, 0.0, 0.0, 0.0, 1.0])
    for order in (np.arange(5), np.arange(5)[::-1]):
        curve = risk_curve(np.full(5, 0.3), wrong[order])
        np.testing.assert_allclose(curve, 0.4)


def test_no_order_beats_the_one_that_knows_errors():
    rng = np.random.default_rng(0)
    wrong = rng.exponential(size=200)
    best = oracle_curve(wrong)
    assert (best <= risk_curve(rng.random(200), wrong) + 1e-12).all()
    assert risk_of_surest(best, 0.5) == pytest.approx(np.sort(wrong)[:100].mean())
    assert risk_of_surest(best, 1e-9) == wrong.min()


def test_separation_counts_pairs():
    confidence, right, _ = simulated(80)
    confidence = confidence.round(1)  # ties
    pairs = confidence[right][:, None] - confidence[~right][None]
    assert separation(confidence, right) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert np.isnan(separation(confidence, np.ones(80, bool)))


def test_calibration_error_and_brier_by_hand():
    probability, right = np.array([0.1] * 10 + [0.8] * 10), np.array([False] * 10 + [True] * 6 + [False] * 4)
    rows = reliability(probability, right, bins=2)
    np.testing.assert_allclose(rows, [(0.1, 0.0, 10), (0.8, 0.6, 10)])
    assert calibration_error(np.full(20, 0.3), right) == pytest.approx(
        np.mean([abs(0.3 - part.mean()) for part in np.split(right, 10)])
    )
    assert brier(probability, right) == pytest.approx((10 * 0.01 + 6 * 0.04 + 4 * 0.64) / 20)


def test_the_calibrator_is_the_best_rising_curve():
    confidence, right, _ = simulated(400)
    told = fit_calibrator(confidence, right)
    curve = told(np.linspace(0, 1, 1001))
    assert (np.diff(curve) >= 0).all()
    assert 0 < curve[0] < 0.05
    assert 0.8 < curve[-1] < 1
    rng = np.random.default_rng(1)
    ours = np.mean((told(confidence) - right) ** 2)
    for _ in range(
        20
    ):  # other rising curves through the same order are no better, but for the two added frames
        steps = np.sort(rng.random(400))[np.argsort(np.argsort(confidence))]
        assert ours < np.mean((steps - right) ** 2)
    assert ours < np.mean((confidence**2 - right) ** 2) + 1 / 400


def test_a_useless_or_reversed_confidence_becomes_the_share_right():
    confidence, right, _ = simulated(2000)
    reversed_ = fit_calibrator(1 - confidence, right)
    np.testing.assert_allclose(reversed_(np.array([0.0, 0.5, 1.0])), right.mean(), atol=0.03)
    same = fit_calibrator(np.full(2000, 0.4), right)
    assert same(np.array([0.4]))[0] == pytest.approx(right.mean(), abs=1e-3)  # the two added frames


def test_a_frame_never_calibrates_itself_nor_its_sequence():
    confidence, right, sequences = simulated(200)
    told = cross_fitted(confidence, right, sequences)
    first = np.array(sequences) == sequences[0]
    turned = np.where(first, ~right, right)
    np.testing.assert_array_equal(cross_fitted(confidence, turned, sequences)[first], told[first])
    assert not np.array_equal(cross_fitted(confidence, turned, sequences)[~first], told[~first])
    assert cross_fitted(confidence[:10], right[:10], sequences[:10]) is None


def test_calibration_holds_on_other_frames():
    confidence, right, sequences = simulated(4000)
    told = cross_fitted(confidence, right, sequences)
    assert calibration_error(confidence, right) > 0.1
    assert calibration_error(told, right) < 0.04
    np.testing.assert_allclose(told, confidence**2, atol=0.15)


def scored(count=200, per_sequence=10):
    """A score whose frames are right as `simulated` says, and further predictions in another order."""
    confidence, right, sequences = simulated(count, per_sequence=per_sequence)
    examples = tuple(
        Example(sequence, f"t{i:04d}.000", "stool", i, i, 0.9) for i, sequence in enumerate(sequences)
    )
    mssd = np.where(right, 99.0, 101.0)  # a fifth of the diameter is 100
    errors = ObjectErrors(mssd, mssd, mssd, np.full(count, 500.0))
    score = ObjectScore(examples, errors, count, 1.0, (), OBJECT_MODES["official"])
    order = np.random.default_rng(3).permutation(count)
    names = np.array([e.sequence for e in examples]), np.array([e.frame for e in examples])
    further = Further(names[0][order], names[1][order], {CONFIDENCE: confidence[order].astype(np.float32)})
    return {"object": {"duel": ScoredRow(score)}}, further, confidence, right


def test_confidence_finds_its_frames():
    scores, further, confidence, right = scored()
    judged = judged_scores(scores, "duel", further)["object"]["duel"]
    np.testing.assert_allclose(judged.columns["confidence"], confidence, atol=1e-6)
    told = judged.more["confidence"]
    assert told["share_right"] == right.mean()
    assert told["auroc"] == pytest.approx(separation(confidence, right))
    assert told["area_of_oracle"] < told["area_under_risk"] < 1 - told["share_right"]
    json.dumps(told, allow_nan=False)
    head, first, *_ = frames_table({"object": {"duel": judged}}).splitlines()
    line = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(line["confidence"]) == pytest.approx(confidence[0], abs=1e-6)
    assert float(line["probability"]) == pytest.approx(judged.columns["probability"][0], abs=1e-6)


def test_frames_by_image_keep_their_sequence():
    scores, further, confidence, _ = scored()
    score = scores["object"]["duel"].score
    by_image = tuple(
        replace(e, sequence="behave_male_stool", frame=f"{e.sequence}-{e.frame}-k1") for e in score.examples
    )
    scores = {"object": {"duel": ScoredRow(replace(score, examples=by_image))}}
    judged = judged_scores(scores, "duel", further)["object"]["duel"]
    np.testing.assert_allclose(judged.columns["confidence"], confidence, atol=1e-6)
    assert "probability" in judged.columns


def test_one_sequence_is_judged_and_not_calibrated(tmp_path):
    scores, further, *_ = scored(count=20, per_sequence=20)
    judged = judged_scores(scores, "duel", further)
    assert "calibrator" not in judged["object"]["duel"].more["confidence"]
    assert "probability" not in judged["object"]["duel"].columns
    keep_calibration(tmp_path, judged, ORIGIN)
    assert read_calibration(tmp_path) is None


def test_without_confidence_nothing_changes(tmp_path):
    scores, further, *_ = scored()
    assert judged_scores(scores, "duel", replace(further, arrays={})) is scores
    assert judged_scores({"joint": {}}, "duel", further) == {"joint": {}}
    keep_calibration(tmp_path, scores, ORIGIN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("values", [np.full(200, 1.2), np.full(200, np.nan), np.zeros((200, 1))])
def test_a_confidence_of_another_kind_is_refused(values):
    scores, further, *_ = scored()
    with pytest.raises(ValueError, match=r"expected one number in \[0, 1\] for each view, found"):
        judged_scores(scores, "duel", replace(further, arrays={CONFIDENCE: values}))


def test_later_predictions_of_the_checkpoint_are_calibrated(tmp_path):
    scores, further, confidence, right = scored()
    keep_calibration(tmp_path, judged_scores(scores, "duel", further), ORIGIN)
    later = with_probability(further, tmp_path, ORIGIN.checkpoint_hash, "other data")
    expected = fit_calibrator(confidence.astype(np.float32).astype(np.float64), right)
    np.testing.assert_allclose(later.arrays["probability"], expected(further.arrays[CONFIDENCE]), atol=1e-6)
    for others in (("d" * 64, "other data"), (ORIGIN.checkpoint_hash, ORIGIN.data_hash)):
        assert "probability" not in with_probability(further, tmp_path, *others).arrays
