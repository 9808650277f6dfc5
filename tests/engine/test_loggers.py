"""Further loggers beside the CSV file: what they need, and the pictures and files that they get."""

import pytest

from rhobin.engine.build import build_loggers


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


