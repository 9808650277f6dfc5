"""Methods of a package outside the framework, added by config alone: killed, resumed, scored, packed."""

import csv
import json
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import start
from hydra import compose, initialize_config_dir

from rhobin.__main__ import main
from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.metrics.tracks import TRACKS
from rhobin.pickles import load_pickle
from rhobin.scoring.calibration import Calibration, Calibrator, write_calibration
from rhobin.scoring.store import read_further

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = {"duel": 5, "walker": 3}


@pytest.fixture(scope="module", autouse=True)
def importable():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    sys.path.insert(0, str(ROOT / "tests"))
    from behave_tree import make_tree, write_ground_truth

    root = make_tree(tmp_path_factory.mktemp("behave"))
    write_ground_truth(root)
    return root


def overrides(name, run_dir, tree):
    return [f"experiment={name}", f"data.root={tree}", f"run_dir={run_dir}", "threads=1", "resume=auto"]


def train(name, run_dir, tree):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        search = f"hydra.searchpath=[file://{HERE / 'configs'}]"
        return fit(compose("train", [*overrides(name, run_dir, tree), search]))


def kill(name, run_dir, tree):
    """Train in another process, and kill it when the log of the last stage has some rows."""
    command = ("train.py", "--config-dir", str(HERE / "configs"), *overrides(name, run_dir, tree))
    process = start(*command, output=run_dir.parent, path=(str(HERE),))
    log = run_dir / "metrics.csv"
    deadline = time.monotonic() + 120
    while process.is_alive() and time.monotonic() < deadline:
        if log.is_file() and len(log.read_text().splitlines()) >= KEPT[name]:
            break
        time.sleep(0.005)
    process.kill()
    process.join()


@pytest.fixture(scope="module", params=["duel", "walker"])
def runs(request, tree, tmp_path_factory):
    """A run that was never stopped, and one that was killed and resumed."""
    folder = tmp_path_factory.mktemp(request.param)
    whole, killed = folder / "whole", folder / "killed"
    train(request.param, whole, tree)
    kill(request.param, killed, tree)
    assert json.loads((killed / "run.json").read_text())["state"] != "finished"
    train(request.param, killed, tree)
    return request.param, whole, killed, tree


def state(run_dir, file="last"):
    return torch.load(run_dir / "checkpoints" / f"{file}.ckpt", weights_only=True)


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert_same(ours[key], value)
        elif isinstance(value, torch.Tensor):
            assert torch.equal(ours[key], value), key
        else:
            assert ours[key] == value, key


def test_a_killed_run_ends_where_an_unbroken_one_does(runs):
    name, whole, killed, _ = runs
    ours, theirs = state(killed), state(whole)
    assert_same(ours["state_dict"], theirs["state_dict"])
    assert len(ours["optimizer_states"]) == (2 if name == "duel" else 1)
    for one, two in zip(ours["optimizer_states"], theirs["optimizer_states"], strict=True):
        assert_same(one["state"], two["state"])
    assert ours["lr_schedulers"] == theirs["lr_schedulers"]
    assert (killed / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    assert state(killed, "best")["global_step"] == state(whole, "best")["global_step"]
    assert ours["global_step"] == (14 if name == "duel" else 8)


def test_a_step_is_a_batch_whatever_the_number_of_optimisers(runs):
    name, whole, _, _ = runs
    with (whole / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    logged = [int(row["step"]) for row in rows if row["train/loss"]]
    assert logged == ([3, 6, 9, 12, 14] if name == "duel" else [3, 6, 8])
    if name == "duel":
        assert float(rows[0]["lr/critic"]) > 0
        best = max((row for row in rows if row["val/AR_all"]), key=lambda row: float(row["val/AR_all"]))
        assert state(whole, "best")["global_step"] == int(best["step"])


def test_stages_go_on_from_one_another(runs):
    name, whole, _, _ = runs
    if name == "duel":
        assert not (whole / "stages").exists()
        return
    first = state(whole / "stages" / "1_place")
    assert first["global_step"] == 6
    frozen = {k: v for k, v in first["state_dict"].items() if k.startswith("net.backbone")}
    assert len(frozen) > 50
    last = state(whole)["state_dict"]
    assert all(torch.equal(last[key], value) for key, value in frozen.items())
    assert not torch.equal(last["net.head.weight"], first["state_dict"]["net.head.weight"])


def test_evaluated_reported_and_submitted(runs, capsys):
    name, _, run_dir, _ = runs
    track, own, absent = {
        "duel": ("object", "obj_rots", "poses"), "walker": ("human", "poses", "obj_rots"),
    }[name]  # fmt: skip
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        evaluate(compose("eval", [f"run={run_dir}", "trust=[visitors]", "threads=1"]))
    scores = json.loads((run_dir / "scores.json").read_text())
    assert list(scores["tracks"]) == [track]
    assert list(scores["tracks"][track]) == ["constant", "constant_per_object", name, "perfect"]
    results = load_pickle(run_dir / "results.pkl")
    record = results["Date03_Sub04_backpack_back"]
    assert own in record
    assert absent not in record
    with np.load(run_dir / "predictions.npz", allow_pickle=False) as further:
        assert ("extras.confidence" in further) == (name == "duel")
    judged = "confidence" in scores["tracks"][track][name]
    page = (run_dir / "report.html").read_text()
    assert judged == ('id="confidence"' in page) == (name == "duel")
    title = {"duel": "Duel", "walker": "Walker"}[name]
    assert title in page
    assert TRACKS[track].title in page
    capsys.readouterr()
    assert main(["tables", str(run_dir)]) == 0
    assert title in capsys.readouterr().out
    assert main(["submit", str(run_dir)]) == 0
    assert f"{track} track" in capsys.readouterr().out
    (archive,) = run_dir.rglob("*.zip")
    assert zipfile.ZipFile(archive).namelist() == ["results.pkl"]


def test_a_calibration_on_other_data_reaches_predictions(runs):
    name, whole, _, _ = runs
    if name != "duel":
        pytest.skip("gives no confidence")
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        evaluate(compose("eval", [f"run={whole}", "trust=[visitors]", "threads=1"]))
        assert "probability" not in read_further(whole).arrays
        sidecar = json.loads((whole / "results.json").read_text())
        calibrator = Calibrator((0.0, 1.0), (0.25, 0.75))
        origin = sidecar["checkpoint_hash"], "of other data", 9
        write_calibration(whole, Calibration(*origin, calibrator, "close"))
        evaluate(compose("eval", [f"run={whole}", "trust=[visitors]", "threads=1", "force=true"]))
    arrays = read_further(whole).arrays
    np.testing.assert_allclose(arrays["probability"], 0.25 + 0.5 * arrays["extras.confidence"])
