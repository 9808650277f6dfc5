"""A run of a few steps on a small tree, evaluated once for all tests here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from behave_tree import TRAIN, make_tree, write_ground_truth
from hydra import compose, initialize_config_dir

from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit

ROOT = Path(__file__).parents[2]
TEST = ("Date03_Sub04_backpack_back", "Date03_Sub06_stool_sit")
SAMPLES = 400


@dataclass(frozen=True)
class ScoredRun:
    """An evaluated run and its data."""

    run: Path
    data: Path

    def config(self, *overrides: str):
        """What `python eval.py run=...` composes."""
        return composed("eval", f"run={self.run}", f"protocol.samples={SAMPLES}", *overrides)


def composed(name: str, *overrides: str):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose(name, list(overrides))


@pytest.fixture(scope="session")
def scored_run(tmp_path_factory) -> ScoredRun:
    folder = tmp_path_factory.mktemp("scored")
    data = make_tree(folder / "data", 3, TRAIN, TEST)
    write_ground_truth(data)
    run = folder / "run"
    fit(
        composed(
            "train",
            "experiment=khor/smoke",
            f"data.root={data}",
            f"run_dir={run}",
            "data.workers=0",
            "trainer.max_steps=6",
            "callbacks.evaluator.samples=100",
        )
    )
    scored = ScoredRun(run, data)
    evaluate(scored.config())
    return scored


@pytest.fixture
def own_run(scored_run, tmp_path):
    """A copy of the run that a test may change."""
    shutil.copytree(scored_run.run, tmp_path / "run")
    return type(scored_run)(tmp_path / "run", scored_run.data)
