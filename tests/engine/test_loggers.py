"""Further loggers beside the CSV file: what they need, and the pictures and files that they get."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from rhobin.engine.build import build_loggers
from rhobin.engine.fit import fit
from rhobin.engine.held_out import evaluate_views
from rhobin.engine.overlays import OVERLAYS, TAG

ROOT = Path(__file__).parents[2]
AVERAGED = "callbacks.ema={_target_: rhobin.engine.ema.WeightAverage, decay: 0.9}"


@pytest.mark.parametrize(
    ("logger", "flag", "install"),
    [("mlflow", "_MLFLOW_AVAILABLE", "pip install mlflow"), ("wandb", "_WANDB_AVAILABLE", r"\.\[log\]")],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    smoke, tmp_path, monkeypatch, logger, flag, install
):
    monkeypatch.setattr(f"pytorch_lightning.loggers.{logger}.{flag}", False)
    config = smoke(tmp_path / "run", f"logger={logger}")
    with pytest.raises(ValueError, match=rf"logger={logger} needs a package .*{install}"):
        build_loggers(config, tmp_path / "run", "0a1b2c3d")


@pytest.mark.parametrize("average", ["callbacks.ema=null", AVERAGED])
def test_tensorboard_gets_a_picture_at_each_evaluation_and_training_stays_as_it_is(smoke, tmp_path, average):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    shared = ("trainer.max_steps=4", "callbacks.evaluator.every_n_steps=2", average)
    plain = fit(smoke(tmp_path / "plain", *shared))
    run_dir = fit(smoke(tmp_path / "run", "logger=tensorboard", *shared))
    assert (run_dir / "metrics.csv").read_bytes() == (plain / "metrics.csv").read_bytes()
    events = reader.EventAccumulator(str(run_dir / "tensorboard")).Reload()
    pictures = events.Images(TAG)
    assert [event.step for event in pictures] == [2, 4]
    kept = cv2.imread(str(run_dir / OVERLAYS))
    last = cv2.imdecode(np.frombuffer(pictures[-1].encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(kept, last)
    image, truth, predicted = np.split(kept, 3, axis=1)
    assert (image != truth).any()
    assert (image != predicted).any()
    assert not (plain / OVERLAYS).exists()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """W&B without a network; reads the records of a run folder, one text a session."""
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for place in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"WANDB_{place}_DIR", str(tmp_path / place))

    def records(run_dir):
        assert wandb.run is None, "a session ends its run"
        files = sorted(run_dir.glob("wandb/offline-run-*/*.wandb"), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes().decode(errors="replace") for file in files]

    return records


def evaluation(run_dir, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("eval", [f"run={run_dir}", "protocol.samples=100", "threads=1", *overrides])


def test_wandb_keeps_config_pictures_files_and_scores_under_the_run_s_id(
    smoke, tmp_path, offline, tree_with_truth
):
    config = smoke(tmp_path / "run", "logger=wandb", "trainer.max_steps=2", f"data.root={tree_with_truth}")
    run_dir = fit(config)
    name = f"khor_smoke-{json.loads((run_dir / 'run.json').read_text())['id']}"
    (trained,) = offline(run_dir)
    told = (name, "optim.optimizer.lr", "config.yaml", "metrics.csv", OVERLAYS)
    assert [word for word in told if word not in trained] == []
    assert list(run_dir.glob("wandb/offline-run-*/files/media/images/val/overlays_*.png"))
    evaluate_views(evaluation(run_dir, "wandb=true"))
    _, scored = offline(run_dir)
    told = (f"{name}-scores", "scores.json", "frames.csv", "report.html", "test/joint/SMPL")
    assert [word for word in told if word not in scored] == []


def test_each_stage_has_a_wandb_run_of_its_own(smoke, tmp_path, offline):
    stages = "+stages={one: {trainer: {max_steps: 1}}, two: {trainer: {max_steps: 1}}}"
    run_dir = fit(smoke(tmp_path / "run", "logger=wandb", stages))
    folders = [file.parent for file in run_dir.rglob("run.json")]
    assert len(folders) == 2
    assert all(len(offline(folder)) == 1 for folder in folders)


def test_scores_are_not_sent_where_the_training_was_not_logged_with_wandb(smoke, tmp_path, tree_with_truth):
    run_dir = fit(smoke(tmp_path / "run", "trainer.max_steps=1", f"data.root={tree_with_truth}"))
    with pytest.raises(ValueError, match="expected a run that was logged with W&B"):
        evaluate_views(evaluation(run_dir, "wandb=true"))
