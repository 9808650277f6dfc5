"""`eval.py` end to end: the files it leaves and whether their numbers are right."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from joint_reference import slow_score

from rhobin.__main__ import main
from rhobin.engine.evaluate import evaluate
from rhobin.files import seal
from rhobin.methods.khor.module import Khor
from rhobin.metrics.joint import draw_samples, frame_rng
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.document import read_scores
from rhobin.scoring.rows import score_rows
from rhobin.scoring.store import StoreError, read_further, read_results

ROWS = ["constant", "constant_per_object", "khor", "perfect"]
OFFICIAL = {name: track.modes["official"] for name, track in TRACKS.items()}


def joint_rows(run):
    """Rows of the joint track."""
    return json.loads((run / "scores.json").read_text())["tracks"]["joint"]


def product_points(name, meshes):
    """The surface points the product scores at: the only thing the slow reference takes from it."""
    rng = frame_rng(0, name)
    drawn = [draw_samples(verts, np.asarray(faces, np.int64), 400, rng) for verts, faces in meshes]
    return [(samples.face, samples.weights) for samples in drawn]


@pytest.fixture(scope="module")
def ref(scored_run):
    return pickle.loads((scored_run.data / "ref.pkl").read_bytes())


@pytest.fixture(scope="module")
def models():
    folder = files("rhobin.body") / "assets"
    return {g: dict(np.load(str(folder / f"standin_{g}.npz"))) for g in ("male", "female")}


def test_rows_are_in_order_and_complete(scored_run):
    tracks = json.loads((scored_run.run / "scores.json").read_text())["tracks"]
    assert list(tracks) == ["joint", "human", "object"]
    assert all(list(rows) == ROWS for rows in tracks.values())
    for row in tracks["joint"].values():
        assert row["frames"] == 5
        assert row["visible_frames"] == 5
        assert row["coverage"] == pytest.approx(6 / 5)
        assert row["protocol"]["name"] == "rhobin-2023-joint"
        assert row["protocol"]["samples"] == 400
        assert row["scores"]["SMPL"] > 0
        assert row["scores"]["Object"] > 0


def test_score_equals_a_slow_score_of_the_written_file(scored_run, ref, models):
    row = joint_rows(scored_run.run)["khor"]
    results = pickle.loads((scored_run.run / "results.pkl").read_bytes())
    smpl, obj, count = slow_score(ref, results, models, product_points)
    assert count == row["frames"]
    assert row["scores"]["SMPL"] == pytest.approx(smpl, abs=1e-5)
    assert row["scores"]["Object"] == pytest.approx(obj, abs=1e-5)


def test_perfect_row_is_the_sampling_floor(scored_run, ref, models):
    row = joint_rows(scored_run.run)["perfect"]
    truth = {
        name: {**a, "obj_rots": np.stack([_matrix(r) for r in a["obj_rots"]])}
        for name, a in ref["annotations"].items()
    }
    smpl, obj, _ = slow_score(ref, truth, models, product_points)
    assert row["scores"]["SMPL"] == pytest.approx(smpl, abs=0.01)
    assert row["scores"]["Object"] == pytest.approx(obj, abs=0.01)


def _matrix(rotvec):
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(rotvec).as_matrix()


def test_results_have_the_challenges_layout(scored_run, ref):
    results = pickle.loads((scored_run.run / "results.pkl").read_bytes())
    assert set(results) == set(ref["annotations"])
    for name, record in results.items():
        assert type(record["frames"]) is list
        assert record["frames"] == ref["annotations"][name]["frames"]
        count = len(record["frames"])
        shapes = {key: np.shape(record[key]) for key in ("poses", "betas", "trans", "obj_rots", "obj_trans")}
        assert shapes == {
            "poses": (count, 156),
            "betas": (count, 10),
            "trans": (count, 3),
            "obj_rots": (count, 3, 3),
            "obj_trans": (count, 3),
        }
        assert record["gender"] == ref["annotations"][name]["gender"]


def test_the_other_tracks_are_those_of_rhobin_score(scored_run, tmp_path, capsys):
    tracks = json.loads((scored_run.run / "scores.json").read_text())["tracks"]
    root = tmp_path / "root"
    for part, source in (("ref", scored_run.data / "ref.pkl"), ("res", scored_run.run / "results.pkl")):
        (root / part).mkdir(parents=True)
        shutil.copy(source, root / part)
    for track in ("human", "object"):
        rows = tracks[track]
        assert main(["score", track, str(root), str(tmp_path / track), "--body", "standin"]) == 0
        alone = json.loads((tmp_path / track / "scores.json").read_text())["tracks"][track]["results"]
        for key, value in rows["khor"].items():
            if key in ("by_joints_visible", "by_joint_seen", "joint_errors"):  # of images and sigmas
                continue
            assert alone[key] == (pytest.approx(value) if key == "scores" else value), key
    assert tracks["human"]["perfect"]["scores"]["MPJPE"] < 0.01
    assert tracks["object"]["perfect"]["scores"]["AR_all"] == 1.0
    capsys.readouterr()
    assert main(["tables", str(scored_run.run)]) == 0
    shown = capsys.readouterr().out
    assert "not run" not in shown
    assert "Numbers of generated data" in shown


def test_frames_have_the_errors_of_every_track(scored_run):
    document, frames = read_scores(scored_run.run)
    assert list(frames) == ROWS
    for row, errors in frames.items():
        for name, track in TRACKS.items():
            scored = document["tracks"][name][row]
            for column in (column for column in track.columns if column.frames):
                values = [frame.errors[column.frames] for frame in errors if column.frames in frame.errors]
                assert len(values) == scored["frames"], (row, name)
                assert np.mean(values) == pytest.approx(scored["scores"][column.name], abs=1e-5), (
                    row,
                    column,
                )
    assert any("mpjpe_mm" in f.errors and "smpl_mm" not in f.errors for f in frames["khor"])  # too occluded


def test_what_the_network_says_beyond_the_format_is_kept(scored_run):
    further = read_further(scored_run.run)
    results, _ = read_results(scored_run.run)
    said = {f"extras.{name}_mm" for name in ("joints_sigma", "kpts_sigma", "joints_error")}
    assert set(further.arrays) == {"K_crop", "joints", "kpts", "turn", *said}
    names = [f"{name}/{frame}" for name, record in results.items() for frame in record["frames"]]
    assert [f"{s}/{f}" for s, f in zip(further.sequence, further.frame, strict=True)] == names


def test_generated_numbers_are_never_shown_as_measured_on_behave(scored_run, tmp_path, capsys):
    document = json.loads((scored_run.run / "scores.json").read_text())
    assert document["origin"]["generated"] is True  # of the stand-in body, whatever the images are
    assert main(["tables", str(scored_run.run)]) == 0
    shown = capsys.readouterr().out
    assert "(measured)" not in shown
    assert shown.count("Numbers of generated data say nothing about BEHAVE.") == 4
    document["origin"]["generated"] = False
    frames = (scored_run.run / "frames.csv").read_bytes()
    (tmp_path / "frames.csv").write_bytes(frames)
    (tmp_path / "scores.json").write_text(json.dumps({**document, "seal": seal(document, frames)}))
    assert main(["tables", str(tmp_path)]) == 0
    assert "(measured)" in capsys.readouterr().out
    document["schema"] = 1
    (tmp_path / "scores.json").write_text(json.dumps(document))
    assert main(["tables", str(tmp_path)]) == 1
    assert "score again" in capsys.readouterr().err


def test_frames_without_a_prediction_are_left_out_of_every_row(scored_run):
    results, _ = read_results(scored_run.run)
    challenge = read_challenge(scored_run.data)
    sequence = next(iter(results))
    short = {name: dict(record) for name, record in results.items()}
    short[sequence] = {
        key: value if isinstance(value, str) else value[1:] for key, value in results[sequence].items()
    }
    found = score_rows(challenge, {"human": {"short": short, "whole": results}}, OFFICIAL)["human"]
    frames = sum(len(annotation.frames) for annotation in challenge.annotations.values())
    assert found["short"].score.metrics() == found["whole"].score.metrics()
    assert len(found["whole"].score.examples) == frames - 1
    assert found["whole"].notes == ("1 test frame(s) without a prediction left out",)
    complete = score_rows(challenge, {"human": {"whole": results}}, OFFICIAL)["human"]["whole"]
    assert (len(complete.score.examples), complete.notes) == (frames, ())
    gone = {name: record for name, record in results.items() if name != sequence}
    assert (
        "is missing" in score_rows(challenge, {"object": {"gone": gone}}, OFFICIAL)["object"]["gone"].reason
    )


def test_submit_writes_and_checks_a_run(scored_run, capsys):
    for edition in ("2023", "2024"):
        assert main(["submit", str(scored_run.run), "--edition", edition, "--track", "human"]) == 0
        said = capsys.readouterr().out
        assert re.search(rf"submission-human-{edition}\.zip: \d+\.\d kB, human track", said)
        assert "MPJPE" in said
    assert main(["tables", str(scored_run.run)]) == 0
    told = f"KHOR, {scored_run.run.name}: rhobin-2023-joint with samples 400, data"
    assert told in capsys.readouterr().out
    assert main(["submit", str(scored_run.run / "none")]) == 1
    assert "No predictions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lost", "track", "other"), [("object", "human", "object"), ("human", "object", "human")]
)
def test_a_run_of_one_part_is_scored_reported_and_packed(own_run, lost, track, other, monkeypatch, capsys):
    whole = Khor.decode
    monkeypatch.setattr(Khor, "decode", lambda *args: replace(whole(*args), **{lost: None}))
    monkeypatch.setattr(Khor, "name", "half")
    monkeypatch.setattr(Khor, "title", "Half a method")
    before = json.loads((own_run.run / "scores.json").read_text())["tracks"]
    evaluate(own_run.config())
    document = json.loads((own_run.run / "scores.json").read_text())
    assert list(document["tracks"]) == [track]
    rows = document["tracks"][track]
    assert list(rows) == ["constant", "constant_per_object", "half", "perfect"]
    assert rows["half"]["scores"] == before[track]["khor"]["scores"]
    assert rows["constant"]["scores"] == before[track]["constant"]["scores"]
    page = (own_run.run / "report.html").read_text()
    assert "<h1>Half a method</h1>" in page
    assert f"<h3>{TRACKS[track].title}</h3>" in page
    assert f"<h3>{TRACKS[other].title}" not in page
    assert "Joint track" not in page.split('id="training"')[0]
    capsys.readouterr()
    assert main(["submit", str(own_run.run)]) == 0
    assert f"submission-{track}-2023.zip" in capsys.readouterr().out
    assert main(["submit", str(own_run.run), "--track", "joint"]) == 1
    assert f"the joint track needs the {lost}" in capsys.readouterr().err
    assert main(["tables", str(own_run.run)]) == 0
    said = capsys.readouterr().out
    assert f"Half a method, {own_run.run.name}: rhobin-2023-{track}" in said
    assert said.count("not run") == 3


def test_evaluating_again_does_nothing(scored_run):
    before = {p.name: p.stat().st_mtime_ns for p in scored_run.run.iterdir()}
    evaluate(scored_run.config())
    assert before == {p.name: p.stat().st_mtime_ns for p in scored_run.run.iterdir()}


def test_force_and_changes_evaluate_again(own_run):
    first = (own_run.run / "report.html").stat().st_mtime_ns
    evaluate(own_run.config("force=true"))
    second = (own_run.run / "report.html").stat().st_mtime_ns
    assert second > first
    before = joint_rows(own_run.run)["khor"]["scores"]
    evaluate(own_run.config("protocol.seed=1"))
    after = joint_rows(own_run.run)["khor"]["scores"]
    assert after["SMPL"] != before["SMPL"]
    assert after["SMPL"] == pytest.approx(before["SMPL"], rel=0.05)


def test_scores_on_another_root_can_be_kept_apart(own_run, tmp_path):
    before = {path.name: path.stat().st_mtime_ns for path in own_run.run.iterdir()}
    out = tmp_path / "kept"
    options = (f"data.root={shutil.copytree(own_run.data, tmp_path / 'other')}", f"out={out}")
    assert evaluate(own_run.config(*options)) == out
    assert {path.name: path.stat().st_mtime_ns for path in own_run.run.iterdir()} == before
    assert read_scores(out)[0]["tracks"] == read_scores(own_run.run)[0]["tracks"]
    assert "<h3>" in (out / "report.html").read_text()
    written = (out / "scores.json").stat().st_mtime_ns
    evaluate(own_run.config(*options))
    assert written == (out / "scores.json").stat().st_mtime_ns


def test_edited_predictions_are_not_scored_in_silence(own_run):
    path = own_run.run / "results.pkl"
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(StoreError, match=r"results\.pkl is not the file its sidecar"):
        read_results(own_run.run)
