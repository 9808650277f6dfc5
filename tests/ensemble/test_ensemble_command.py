"""`rhobin ensemble fit` and `apply` on stored runs: files, exactness, and errors that say what to do."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from behave_tree import make_tree, write_ground_truth
from fake_slurm import install
from made_up import noisy, results_of, runs_of, shown_in_test, store, true_people

from rhobin.__main__ import main
from rhobin.engine.launch import jobs_of, submit
from rhobin.ensemble.people import People
from rhobin.scoring.compare import read_frame_scores
from rhobin.scoring.store import HELD_OUT, read_further, read_results


@pytest.fixture
def truth():
    return true_people(each=2)


def fit(out, *runs, status=0):
    assert main(["ensemble", "fit", str(out), *map(str, runs)]) == status


def test_one_member_comes_out_to_the_bit(tmp_path, truth):
    people = noisy(truth, (0.1,))
    run = store(tmp_path / "run", people, truth)
    store(run, people, truth, held_out=False)
    fit(tmp_path / "one", run)
    assert main(["ensemble", "apply", str(tmp_path / "one")]) == 0
    (found, origin), (wanted, _) = read_results(tmp_path / "one"), read_results(run)
    assert found.keys() == wanted.keys()
    for sequence, record in wanted.items():
        assert found[sequence].keys() == record.keys()
        for key, value in record.items():
            np.testing.assert_array_equal(found[sequence][key], value)
    assert origin.method == "ensemble"
    assert json.loads((tmp_path / "one" / "ensemble.json").read_text())["weights"]["shape"] == [1.0]


def test_an_ensemble_is_stacked_by_jobs_of_a_pretended_slurm(tmp_path, truth, monkeypatch):
    """Fit, then apply, each as a job; the result is that of the commands themselves."""
    slurm = install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{slurm}{os.pathsep}{os.environ['PATH']}")
    sigmas = (0.1, 0.15)
    runs = runs_of(tmp_path, noisy(truth, sigmas), truth)
    for member, run in enumerate(runs):
        store(run, noisy(truth, sigmas, seed=9), truth, member, held_out=False)
    by_job, by_hand = tmp_path / "by_job", tmp_path / "by_hand"
    for words in (["fit", str(by_job), *map(str, runs)], ["apply", str(by_job)]):
        (job,) = submit(jobs_of(["rhobin", "ensemble", *words]), "slurm", tmp_path / "jobs", {})
        assert job.result().startswith(f"rhobin ensemble {words[0]}")
    fit(by_hand, *runs)
    assert main(["ensemble", "apply", str(by_hand)]) == 0
    stacked = (by_job / "predictions.npz", by_hand / "predictions.npz")
    ours, theirs = (np.load(file, allow_pickle=False) for file in stacked)
    assert set(ours.files) == set(theirs.files)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours.files)


def test_an_ensemble_is_scored_submitted_and_reported_like_a_run(tmp_path, truth, capsys):
    root = make_tree(tmp_path / "root")
    write_ground_truth(root)
    test = shown_in_test(root)
    sigmas = (0.1, 0.1, 0.15)
    people = noisy(truth, sigmas)
    runs = runs_of(tmp_path, people, truth)
    for member, run in enumerate(runs):
        store(run, noisy(test, sigmas, seed=9), test, member, held_out=False)
    out = tmp_path / "stack"
    assert main(["ensemble", "fit", str(out), *map(str, runs), "--parts"]) == 0
    document = json.loads((out / "ensemble.json").read_text())
    for row in (*document["weights"].values(), *(document["weights"]["parts"] or {}).values()):
        if isinstance(row, list):
            assert sum(row) == pytest.approx(1, abs=1e-9)
    assert sum(map(len, document["folds"])) == 5
    assert document["gain"]["MPJPE_PA"]["gain_percent"] > 10
    assert [told["run"] for told in document["members"]] == list(map(str, runs))

    assert main(["ensemble", "apply", str(out), "--data", str(root)]) == 0
    results, origin = read_results(out)
    assert results.keys() == results_of(test).keys()
    assert origin.title == "Ensemble of 3"
    spread = read_further(out).arrays["extras.spread_mm"]
    assert spread.shape == (len(test),)
    assert "Ensemble of 3" in (out / "report.html").read_text()
    rows = json.loads((out / "scores.json").read_text())["tracks"]["human"]
    best = f"best member, {runs[document['best']].name}"
    assert rows["ensemble"]["scores"]["MPJPE"] < rows[best]["scores"]["MPJPE"]
    page = (out / "report.html").read_text()
    assert f"Best member, {runs[document['best']].name}" in page
    for section in ("people", "ensemble"):
        assert f'<section id="{section}">' in page
        assert f'href="#{section}"' in page
    assert f"{document['gain']['MPJPE']['gain_percent']:.1f} &plusmn; " in page
    assert "by_joints_visible" in rows["ensemble"]
    assert len(read_frame_scores(out, "human").visible) == len(test)
    capsys.readouterr()
    assert main(["submit", str(out)]) == 0
    assert f"MPJPE {rows['ensemble']['scores']['MPJPE']:.4g}" in capsys.readouterr().out
    assert main(["report", str(out)]) == 0

    assert main(["ensemble", "apply", str(out), "--data", str(root), "--shared-betas"]) == 0
    shared, _ = read_results(out / "shared_betas")
    for sequence, record in shared.items():
        assert np.ptp(record["betas"], axis=0).max() == 0
        wanted = spread**-2 @ results[sequence]["betas"] / np.sum(spread**-2)
        np.testing.assert_allclose(record["betas"][0], wanted, atol=1e-9)
        np.testing.assert_array_equal(record["poses"], results[sequence]["poses"])


def test_shared_betas_keep_the_pelvis(tmp_path, truth):
    from rhobin.body.load import load_bodies
    from rhobin.ensemble.meshes import pose
    from rhobin.ensemble.subjects import with_shared_betas

    bodies = {gender: load_bodies()[gender] for gender in ("male", "female")}
    results = results_of(truth)
    shared = with_shared_betas(results, bodies, truth, None)
    for name, record in shared.items():
        rows = np.flatnonzero(truth.sequence == name)
        arrays = {key: record[key][None].astype(np.float32) for key in ("poses", "betas", "trans")}
        new = People(truth.sequence[rows], truth.frame[rows], truth.gender[rows], **arrays)
        posed = [
            pose(bodies[record["gender"]], of, at).joints[:, 0, 0]
            for of, at in ((truth, rows), (new, np.arange(len(rows))))
        ]
        np.testing.assert_allclose(posed[0], posed[1], atol=1e-5)
        np.testing.assert_allclose(record["betas"][0], results[name]["betas"].mean(0), atol=1e-6)


def test_missing_views_are_named(tmp_path, truth, capsys):
    people = noisy(truth, (0.1, 0.1))
    runs = runs_of(tmp_path, people, truth)
    short = replace(
        people, **{key: getattr(people, key)[1:] for key in ("sequence", "frame", "gender")},
        **{key: getattr(people, key)[:, 1:] for key in ("poses", "betas", "trans")},
    )  # fmt: skip
    store(runs[1], short, truth, 1)
    fit(tmp_path / "out", *runs, status=1)
    said = capsys.readouterr().err
    assert "run1 lacks 1 of the 10 views" in said
    assert f"{truth.sequence[0]}/{truth.frame[0]}" in said


def test_a_run_without_validation_predictions_is_told_the_command(tmp_path, truth, capsys):
    people = noisy(truth, (0.1, 0.1))
    runs = runs_of(tmp_path, people, truth)
    (runs[1] / HELD_OUT / "results.json").unlink()
    fit(tmp_path / "out", *runs, status=1)
    assert f"python eval.py run={runs[1]} views=val" in capsys.readouterr().err
    (runs[1] / HELD_OUT / "results.json").write_text("{")
    fit(tmp_path / "out", *runs, status=1)
    assert f"python eval.py run={runs[1]} views=val force=true" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("origin", "said"),
    [({"data_hash": "other"}, "other data"), ({"body_hash": "smplh"}, "other body models")],
)
def test_other_data_and_bodies_are_refused(tmp_path, truth, capsys, origin, said):
    people = noisy(truth, (0.1, 0.1))
    runs = runs_of(tmp_path, people, truth)
    store(runs[1], people, truth, 1, **origin)
    fit(tmp_path / "out", *runs, status=1)
    assert said in capsys.readouterr().err


def test_a_changed_file_and_a_member_named_twice_are_refused(tmp_path, truth, capsys):
    runs = runs_of(tmp_path, noisy(truth, (0.1, 0.1)), truth)
    fit(tmp_path / "out", runs[0], runs[0], status=1)
    assert "named twice" in capsys.readouterr().err
    path = runs[0] / HELD_OUT / "results.pkl"
    path.write_bytes(path.read_bytes()[:-3])
    fit(tmp_path / "out", *runs, status=1)
    assert "checksums differ" in capsys.readouterr().err


def test_other_truths_other_genders_and_other_bodies_are_refused(tmp_path, truth, capsys):
    people = noisy(truth, (0.1, 0.1))
    runs = runs_of(tmp_path, people, truth)
    store(runs[1], people, replace(truth, trans=truth.trans + 1), 1)
    fit(tmp_path / "out", *runs, status=1)
    assert "different true people" in capsys.readouterr().err
    store(runs[1], replace(people, gender=np.full(len(people), "neutral")), truth, 1)
    fit(tmp_path / "out", *runs, status=1)
    assert "shows a neutral body" in capsys.readouterr().err
    for member, run in enumerate(runs):
        store(run, people, truth, member, body_hash="smplh")
    fit(tmp_path / "out", *runs, status=1)
    assert "holds 'stand-in'" in capsys.readouterr().err


def test_test_predictions_of_another_checkpoint_are_refused(tmp_path, truth, capsys):
    people = noisy(truth, (0.1,))
    run = store(tmp_path / "run", people, truth)
    fit(tmp_path / "one", run)
    assert main(["ensemble", "apply", str(tmp_path / "one")]) == 1
    assert f"python eval.py run={run}" in capsys.readouterr().err
    store(run, people, truth, held_out=False, checkpoint_hash="d" * 64)
    assert main(["ensemble", "apply", str(tmp_path / "one")]) == 1
    assert "come from checkpoint dddddddddddd" in capsys.readouterr().err
    (tmp_path / "one" / "ensemble.json").write_text("{")
    assert main(["ensemble", "apply", str(tmp_path / "one")]) == 1
    assert "rhobin ensemble fit" in capsys.readouterr().err
