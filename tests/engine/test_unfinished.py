"""Evaluations that are killed go on, and runs of methods without training."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from behave_tree import make_tree, write_ground_truth
from commands import start, succeed
from hydra import compose, initialize_config_dir

from rhobin.__main__ import main
from rhobin.engine.fit import fit
from rhobin.engine.runs import run_state
from rhobin.engine.saved import read_saved
from rhobin.engine.unfinished import Unfinished
from rhobin.scoring.document import read_scores
from rhobin.scoring.measured import measured_rows
from rhobin.scoring.store import Provenance, read_further

ROOT = Path(__file__).parents[2]
EVALUATION = ("protocol.samples=100", "tracks=[joint]", "threads=1")
FILES = ("results.pkl", "predictions.npz", "results.json", "frames.csv")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("data"), 3, ("Date01_Sub01_boxlarge_lift",),
                     ("Date03_Sub04_backpack_back", "Date03_Sub06_stool_sit"))  # fmt: skip
    write_ground_truth(root)
    return root


def config_of(data, run, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", ["experiment=phosa/smoke", f"data.root={data}", f"run_dir={run}", *overrides])


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return fit(config_of(data, tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def evaluated(run, tmp_path_factory):
    """A copy of the run, evaluated without interruption."""
    copy = shutil.copytree(run, tmp_path_factory.mktemp("evaluated") / "run")
    succeed("eval.py", f"run={copy}", *EVALUATION)
    return copy


def test_a_method_without_training_has_a_finished_run_of_no_steps(run, data, capsys):
    saved = read_saved(run / "checkpoints" / "best.ckpt")
    assert saved.step == 0
    state = torch.load(saved.path, weights_only=True)
    assert state["optimizer_states"] == []
    assert all(value.isfinite().all() for value in state["state_dict"].values())
    assert (run_state(run).state, run_state(run).total) == ("finished", 0)
    fit(config_of(data, run, "resume=auto"))
    assert "nothing to do" in " ".join(capsys.readouterr().out.split())


def test_what_only_a_training_does_is_refused_for_a_method_without(data, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"trains nothing, so .*trainer.max_steps"):
        fit(config_of(data, tmp_path / "run", "trainer=cpu", "trainer.max_steps=3"))
    assert main(["plan", "experiment=phosa/smoke"]) == 1
    assert "rhobin plan is about training" in capsys.readouterr().err


def test_the_objective_falls_in_every_view_and_is_told(evaluated):
    arrays = read_further(evaluated).arrays
    assert (arrays["extras.objective_after"] < arrays["extras.objective_before"]).all()
    told = read_scores(evaluated)[0]["origin"]["objective"]
    assert (told["fell"], told["views"]) == (6, 6)
    assert "it fell in 6 of 6 views" in (evaluated / "report.html").read_text()
    (speed,) = (row for row in measured_rows([evaluated]) if row.table == 5)
    assert speed.values[0] is None


def test_a_killed_evaluation_goes_on_and_ends_the_same_to_the_bit(run, evaluated, tmp_path):
    killed = shutil.copytree(run, tmp_path / "run")
    process = start("eval.py", f"run={killed}", *EVALUATION, output=tmp_path)
    kept = wait_for(lambda: sorted(killed.glob("unfinished/*/*.pt")), process)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (killed / "results.pkl").exists()
    kept = sorted(killed.glob("unfinished/*/*.pt"))
    assert 1 <= len(kept) < 6
    others = killed / "unfinished" / "of_another_checkpoint"
    shutil.copytree(kept[0].parent, others)
    for file in others.iterdir():
        file.write_bytes(b"not read")
    said = succeed("eval.py", f"run={killed}", *EVALUATION)
    assert f"{len(kept)} of 6 batches were predicted before" in said
    for name in FILES:
        assert (killed / name).read_bytes() == (evaluated / name).read_bytes(), name
    assert not (killed / "unfinished").exists()


def wait_for(found, process):
    while process.is_alive():
        if found():
            return found()
        time.sleep(0.01)
    raise AssertionError("the evaluation ended before anything was kept")


def provenance(**changed):
    values = dict.fromkeys(Provenance.__dataclass_fields__, "x")
    return Provenance(**(values | changed))


def test_a_damaged_file_and_another_origin_are_predicted_again(tmp_path, caplog):
    from rhobin.scoring.collect import PredictedViews
    from rhobin.types import ObjectPrediction, Prediction, SampleKey

    kept = Unfinished(tmp_path, provenance(), 2, "test")
    pose = ObjectPrediction(torch.eye(3)[None], torch.arange(3.0)[None])
    extras = {"objective_after": torch.tensor([0.1])}
    views = PredictedViews(
        Prediction(object=pose, extras=extras), torch.tensor([1]), [SampleKey("s", "f", 1, 4)]
    )
    kept.write(4, views, 2.5)
    found, seconds = kept.read(4)
    assert (found.keys, seconds, found.K_crop, found.prediction.human) == (views.keys, 2.5, None, None)
    assert torch.equal(found.prediction.object.t, pose.t)
    assert torch.equal(found.prediction.extras["objective_after"], extras["objective_after"])
    for other in (
        Unfinished(tmp_path, provenance(checkpoint_hash="y"), 2, "test"),
        Unfinished(tmp_path, provenance(config_hash="y"), 2, "test"),
        Unfinished(tmp_path, provenance(data_hash="y"), 2, "test"),
        Unfinished(tmp_path, provenance(), 3, "test"),
        Unfinished(tmp_path, provenance(), 2, "val"),
    ):
        assert other.read(4) is None
    (file,) = kept.place.iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    assert kept.read(4) is None
    assert "predicted again" in caplog.text
