"""Further loggers beside the CSV file: what they need, and the pictures and files that they get."""

import cv2
import numpy as np
import pytest

from rhobin.engine.build import build_loggers
from rhobin.engine.fit import fit
from rhobin.engine.overlays import OVERLAYS, TAG

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
