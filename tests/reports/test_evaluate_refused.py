"""Runs that cannot be evaluated: what is missing or wrong, by name."""

import pytest

from rhobin.engine.evaluate import evaluate
from rhobin.engine.resume import ResumeError


def test_missing_checkpoint_is_named(own_run):
    (own_run.run / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match=r"best\.ckpt is missing: train first"):
        evaluate(own_run.config())


def test_truncated_checkpoint_is_named(own_run):
    path = own_run.run / "checkpoints" / "best.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"best\.ckpt: not readable"):
        evaluate(own_run.config())


def test_checkpoint_of_another_experiment_is_refused(own_run):
    path = own_run.run / "config.yaml"
    path.write_text(path.read_text().replace("name: khor_smoke", "name: khor_other"))
    with pytest.raises(ResumeError, match=r"another experiment[\s\S]*\nconfig\.yaml in the run folder"):
        evaluate(own_run.config())


def test_not_a_run_folder(own_run):
    with pytest.raises(FileNotFoundError, match="not a run folder"):
        evaluate(own_run.config(f"run={own_run.data}"))
