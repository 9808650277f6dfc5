"""A small data tree, and runs of the smoke experiment on it."""

import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    from behave_tree import make_tree

    return make_tree(tmp_path_factory.mktemp("behave"))


@pytest.fixture
def smoke(tree):
    """Composes experiment=khor/smoke on the small tree."""

    def make(run_dir, *overrides):
        with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            return compose(
                "train",
                [
                    "experiment=khor/smoke",
                    f"data.root={tree}",
                    f"run_dir={run_dir}",
                    "data.workers=0",
                    "callbacks.evaluator.samples=100",
                    *overrides,
                ],
            )

    return make
