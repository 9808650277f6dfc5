"""A small data tree, and runs of the smoke experiment on it."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    from behave_tree import make_tree

    return make_tree(tmp_path_factory.mktemp("behave"))


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def whole(smoke, tmp_path_factory):
    """The folders of an uninterrupted run, and of the copies of it after each of its steps."""
    from whole_run import OVERRIDES, KeepAll

    from rhobin.engine.build import build_callbacks
    from rhobin.engine.fit import fit

    folder = tmp_path_factory.mktemp("whole")
    keep = KeepAll(folder / "run", folder / "copies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), keep])
        fit(smoke(folder / "run", *OVERRIDES))
    return folder / "run", folder / "copies"


@pytest.fixture(scope="session")
def reference(whole):
    """The uninterrupted run; tests leave it as it is."""
    return whole[0]


@pytest.fixture
def stopped_at(whole, tmp_path):
    """Makes a run folder as it was after a step, in which training can go on."""

    def make(step):
        folder = Path(tempfile.mkdtemp(dir=tmp_path, prefix=f"stopped_at_{step}_"))
        return shutil.copytree(whole[1] / str(step), folder, dirs_exist_ok=True)

    return make


@pytest.fixture(scope="session")
def photo_runs(tmp_path_factory):
    """Run folders of untrained networks by method, whose data are not here."""
    from photo_runs import METHODS, write_run_folder

    folder = tmp_path_factory.mktemp("photo_runs")
    return {method: write_run_folder(folder / method, method) for method in METHODS}


@pytest.fixture(scope="session")
def tree_with_truth(tmp_path_factory):
    """The small tree with the challenge's ground truth beside it."""
    from behave_tree import make_tree, write_ground_truth

    root = make_tree(tmp_path_factory.mktemp("behave_truth"))
    write_ground_truth(root)
    return root
