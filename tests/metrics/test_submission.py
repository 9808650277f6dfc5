"""Which frames are scored, and when there is no score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rhobin.behave.ref import SequenceAnnotation
from rhobin.metrics.joint_track import JointScore
from rhobin.metrics.posing import expand_pose
from rhobin.metrics.protocol import OFFICIAL_2023
from rhobin.metrics.submission import SubmissionError, match_frames, object_of

NAME = "Date03_Sub04_boxlarge_lift"


def truth(visible: list[float], name: str = NAME) -> dict[str, SequenceAnnotation]:
    count = len(visible)
    frames = [f"t{i:04d}.000" for i in range(count)]
    zeros = {
        "poses": np.zeros((count, 156)),
        "betas": np.zeros((count, 10)),
        "trans": np.zeros((count, 3)),
        "obj_rots": np.zeros((count, 3)),
        "obj_trans": np.zeros((count, 3)),
    }
    return {name: SequenceAnnotation(frames, "male", occ_ratios=np.array(visible), **zeros)}


def predicted(frames: list[int]) -> dict[str, dict]:
    return {NAME: {"frames": [f"t{i:04d}.000" for i in frames]}}


def test_exactly_three_tenths_visible_is_scored():
    matching = match_frames(truth([0.3, 0.2999999, 0.30001, 1.0]), predicted([0, 1, 2, 3]), OFFICIAL_2023)
    assert [e.target for e in matching.examples] == [0, 2, 3]
    assert matching.visible == 3
    assert matching.coverage == pytest.approx(4 / 3)


def test_exactly_the_gate_passes():
    annotations = truth([0.5] * 40)
    at_gate = match_frames(annotations, predicted(list(range(39))), OFFICIAL_2023)
    assert at_gate.coverage == 0.975
    assert at_gate.coverage >= OFFICIAL_2023.min_coverage
    assert at_gate.missing == (f"{NAME}/t0039.000",)
    below = match_frames(annotations, predicted(list(range(38))), OFFICIAL_2023)
    assert below.coverage < OFFICIAL_2023.min_coverage


def test_occluded_and_repeated_predictions_count_for_the_gate():
    annotations = truth([0.1, 0.1, 0.9, 0.9])
    hidden = match_frames(annotations, predicted([0, 1]), OFFICIAL_2023)
    assert hidden.coverage == 1.0
    assert hidden.examples == ()
    repeated = match_frames(annotations, predicted([3, 3, 3]), OFFICIAL_2023)
    assert repeated.coverage == 1.5
    assert [e.pred for e in repeated.examples] == [0]


def test_frames_not_in_the_ground_truth_do_not_count():
    matching = match_frames(truth([0.9, 0.9]), predicted([0, 1, 7, 8]), OFFICIAL_2023)
    assert matching.coverage == 1.0


def test_nothing_visible_is_an_error():
    with pytest.raises(SubmissionError, match=r"No true frame shows 0\.3"):
        match_frames(truth([0.1, 0.2]), predicted([0, 1]), OFFICIAL_2023)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, f"r.pkl: sequence '{NAME}' is missing"),
        ({NAME: {}}, f"r.pkl: sequence {NAME}: key 'frames' is missing"),
        ({NAME: [1]}, f"r.pkl: sequence {NAME}: expected a dict, found list"),
        ([1], "r.pkl: expected a dict of sequences, found list"),
    ],
)
def test_malformed_files_are_named(results, message):
    with pytest.raises(SubmissionError, match=message):
        match_frames(truth([0.9]), results, OFFICIAL_2023, "r.pkl")


def test_no_frames_means_infinite_error():
    score = JointScore((), None, 4, 0.5, (), OFFICIAL_2023)
    assert score.metrics() == {"SMPL": np.inf, "Object": np.inf}


def test_object_is_the_third_word():
    assert object_of("Date03_Sub05_chairwood_sit_hold") == "chairwood"
    with pytest.raises(SubmissionError, match="Date03_Sub05"):
        object_of("Date03_Sub05")


def test_short_poses_move_the_right_hand():
    poses = np.arange(72.0)[None]
    full = expand_pose(poses)
    np.testing.assert_array_equal(full[0, :69], poses[0, :69])
    np.testing.assert_array_equal(full[0, 111:114], poses[0, 69:])
    assert np.count_nonzero(full) == 71
    assert expand_pose(full) is full


def test_thresholds_come_from_the_protocol():
    strict = replace(OFFICIAL_2023, min_visible=0.0)
    assert match_frames(truth([0.0, 0.1]), predicted([0, 1]), strict).visible == 2
