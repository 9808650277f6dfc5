"""Submissions of vertices in place of parameters."""

import numpy as np
import pytest
from challenge_files import as_ref, as_results, write_layout

from rhobin.metrics.submission import SubmissionError
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.submissions import read_submission, track_results, write_zip
from rhobin.scoring.track import score_track
from rhobin.scoring.vertices import as_vertices


@pytest.fixture
def challenge(oracle, oracle_folder, tmp_path):
    root = write_layout(tmp_path / "root", as_ref(oracle("rhobin_ref")), {}, oracle_folder)
    return read_challenge(root)


@pytest.fixture
def results(oracle):
    return track_results(as_results(oracle("rhobin_pred_mid_sym")), "joint", "mid")


def scores_of(results, challenge):
    return score_track("joint", challenge, results, "official", source="x").score.metrics()


def test_vertices_score_as_their_parameters(results, challenge, tmp_path):
    told = as_vertices(results, "joint", "2023", challenge)
    assert {*next(iter(told.values()))} == {"frames", "smpl_verts", "obj_verts"}
    write_zip(tmp_path / "verts.zip", told)
    found = scores_of(read_submission(tmp_path / "verts.zip", challenge), challenge)
    for name, value in scores_of(results, challenge).items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_the_scale_of_an_object_is_in_its_vertices(results, challenge):
    plain = as_vertices(results, "joint", "2023", challenge)
    scaled = {name: {**r, "obj_scales": np.full(len(r["frames"]), 1.25)} for name, r in results.items()}
    for name, record in as_vertices(scaled, "joint", "2023", challenge).items():
        np.testing.assert_allclose(record["obj_verts"], 1.25 * plain[name]["obj_verts"], rtol=1e-6)


@pytest.mark.parametrize(
    ("track", "edition", "message"),
    [("human", "2023", "found the human track"), ("joint", "2024", "edition 2024")],
)
def test_other_submissions_take_no_vertices(results, challenge, track, edition, message):
    with pytest.raises(SubmissionError, match=message):
        as_vertices(results, track, edition, challenge)


def test_vertices_need_the_ground_truth(results, challenge):
    with pytest.raises(SubmissionError, match="give --ref FOLDER"):
        as_vertices(results, "joint", "2023", None)
    with pytest.raises(SubmissionError, match="Date09_Sub09_stool is not in the ground truth"):
        as_vertices({"Date09_Sub09_stool": {}}, "joint", "2023", challenge)
