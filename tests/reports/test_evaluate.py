"""`eval.py` end to end: the files it leaves and whether their numbers are right."""

from __future__ import annotations

import json
import pickle
import shutil
from importlib.resources import files

import numpy as np
import pytest
from joint_reference import slow_score

from rhobin.__main__ import main
from rhobin.behave.ref import read_ref
from rhobin.engine.evaluate import evaluate
from rhobin.engine.resume import ResumeError
from rhobin.metrics.joint import draw_samples, frame_rng
from rhobin.reports.run_tracks import score_tracks
from rhobin.reports.store import StoreError, read_results

ROWS = ["constant", "constant_per_object", "khor", "perfect"]


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


@pytest.fixture
def own_run(scored_run, tmp_path):
    """A copy of the run that a test may change."""
    shutil.copytree(scored_run.run, tmp_path / "run")
    return type(scored_run)(tmp_path / "run", scored_run.data)


def test_rows_are_in_order_and_complete(scored_run):
    document = json.loads((scored_run.run / "scores.json").read_text())
    assert list(document["rows"]) == ROWS
    for row in document["rows"].values():
        assert row["frames"] == 5
        assert row["visible_frames"] == 5
        assert row["coverage"] == pytest.approx(6 / 5)
        assert row["protocol"]["name"] == "rhobin-2023-joint"
        assert row["protocol"]["samples"] == 400
        assert row["smpl_mm"] > 0
        assert row["object_mm"] > 0


def test_score_equals_a_slow_score_of_the_written_file(scored_run, ref, models):
    row = json.loads((scored_run.run / "scores.json").read_text())["rows"]["khor"]
    results = pickle.loads((scored_run.run / "results.pkl").read_bytes())
    smpl, obj, count = slow_score(ref, results, models, product_points)
    assert count == row["frames"]
    assert row["smpl_mm"] == pytest.approx(smpl, abs=1e-5)
    assert row["object_mm"] == pytest.approx(obj, abs=1e-5)


def test_perfect_row_is_the_sampling_floor(scored_run, ref, models):
    row = json.loads((scored_run.run / "scores.json").read_text())["rows"]["perfect"]
    truth = {
        name: {**a, "obj_rots": np.stack([_matrix(r) for r in a["obj_rots"]])}
        for name, a in ref["annotations"].items()
    }
    smpl, obj, _ = slow_score(ref, truth, models, product_points)
    assert row["smpl_mm"] == pytest.approx(smpl, abs=0.01)
    assert row["object_mm"] == pytest.approx(obj, abs=0.01)


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
    document = json.loads((scored_run.run / "scores.json").read_text())
    assert list(document["tracks"]) == ["human", "object"]
    root = tmp_path / "root"
    for part, source in (("ref", scored_run.data / "ref.pkl"), ("res", scored_run.run / "results.pkl")):
        (root / part).mkdir(parents=True)
        shutil.copy(source, root / part)
    for track, rows in document["tracks"].items():
        assert list(rows) == ["khor", "perfect"]
        assert main(["score", track, str(root), str(tmp_path / track)]) == 0
        alone = json.loads((tmp_path / track / "scores.json").read_text())
        assert rows["khor"]["scores"] == pytest.approx(alone["scores"])
        assert rows["khor"]["protocol"] == alone["protocol"]
    assert document["tracks"]["human"]["perfect"]["scores"]["MPJPE"] < 0.01
    assert document["tracks"]["object"]["perfect"]["scores"]["AR_all"] == 1.0
    capsys.readouterr()
    assert main(["tables", str(scored_run.run)]) == 0
    shown = capsys.readouterr().out
    assert "not run" not in shown
    assert "(measured)" in shown


def test_generated_numbers_are_never_shown_as_measured_on_behave(scored_run, tmp_path, capsys):
    document = json.loads((scored_run.run / "scores.json").read_text())
    assert document["origin"]["generated"] is False
    document["origin"]["generated"] = True
    (tmp_path / "scores.json").write_text(json.dumps(document))
    assert main(["tables", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "(measured)" not in shown
    assert shown.count("Numbers of generated data say nothing about BEHAVE.") == 4
    document["schema"] = 1
    (tmp_path / "scores.json").write_text(json.dumps(document))
    assert main(["tables", str(tmp_path)]) == 1
    assert "score again" in capsys.readouterr().err


def test_frames_without_a_prediction_are_left_out_of_every_row(scored_run):
    results, _ = read_results(scored_run.run / "results.pkl")
    truth = read_ref(scored_run.data / "ref.pkl")[0]
    sequence = next(iter(results))
    short = {name: dict(record) for name, record in results.items()}
    short[sequence] = {
        key: value if isinstance(value, str) else value[1:] for key, value in results[sequence].items()
    }
    found = score_tracks(scored_run.data, {"short": short, "whole": results}, ["human", "object"])
    frames = sum(len(annotation.frames) for annotation in truth.values())
    assert found["human"]["short"] == found["human"]["whole"]
    assert found["human"]["whole"]["frames"] == frames - 1
    assert found["human"]["whole"]["notes"][0] == "1 test frame(s) without a prediction left out"
    complete = score_tracks(scored_run.data, {"whole": results}, ["human"])["human"]["whole"]
    assert (complete["frames"], complete["notes"]) == (frames, [])


def test_evaluating_again_does_nothing(scored_run):
    before = {p.name: p.stat().st_mtime_ns for p in scored_run.run.iterdir()}
    evaluate(scored_run.config())
    assert before == {p.name: p.stat().st_mtime_ns for p in scored_run.run.iterdir()}


def test_force_and_changes_evaluate_again(own_run):
    first = (own_run.run / "report.html").stat().st_mtime_ns
    evaluate(own_run.config("force=true"))
    second = (own_run.run / "report.html").stat().st_mtime_ns
    assert second > first
    before = json.loads((own_run.run / "scores.json").read_text())["rows"]["khor"]
    evaluate(own_run.config("protocol.seed=1"))
    after = json.loads((own_run.run / "scores.json").read_text())["rows"]["khor"]
    assert after["smpl_mm"] != before["smpl_mm"]
    assert after["smpl_mm"] == pytest.approx(before["smpl_mm"], rel=0.05)


def test_edited_predictions_are_not_scored_in_silence(own_run):
    path = own_run.run / "results.pkl"
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(StoreError, match=r"results\.pkl is not the file its sidecar"):
        read_results(path)


def test_missing_checkpoint_is_named(own_run):
    (own_run.run / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match=r"best\.ckpt is missing: train first"):
        evaluate(own_run.config())


def test_truncated_checkpoint_is_named(own_run):
    path = own_run.run / "checkpoints" / "best.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"best\.ckpt is not a readable rhobin checkpoint"):
        evaluate(own_run.config())


def test_checkpoint_of_another_experiment_is_refused(own_run):
    path = own_run.run / "config.yaml"
    path.write_text(path.read_text().replace("name: khor_smoke", "name: khor_other"))
    with pytest.raises(ResumeError, match="belongs to another experiment"):
        evaluate(own_run.config())


def test_not_a_run_folder(own_run):
    with pytest.raises(FileNotFoundError, match="not a run folder"):
        evaluate(own_run.config(f"run={own_run.data}"))
