"""A run of a few steps on a small tree, evaluated once for all tests here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from behave_tree import TRAIN, make_tree
from hydra import compose, initialize_config_dir

from rhobin.behave.read import read_release
from rhobin.behave.ref import SequenceAnnotation, write_ref
from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.objects.load import load_templates
from rhobin.types import GENDERS

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


def write_ground_truth(root: Path) -> None:
    """The challenge's ref.pkl of a tree's test split; one frame is too occluded to count."""
    release, annotations = read_release(root, "test", (1,)), {}
    frames = release.frames
    for index, name in enumerate(release.sequences):
        rows = np.flatnonzero(frames.sequence == index)
        visible = np.linspace(0.9, 0.31, len(rows))
        visible[1] = 0.29 if index == 0 else 0.3
        annotations[name] = SequenceAnnotation(
            frames=[str(n) for n in frames.name[rows]],
            gender=GENDERS[frames.gender[rows[0]]],
            poses=frames.pose[rows],
            betas=frames.betas[rows],
            trans=frames.trans[rows],
            obj_rots=frames.obj_angle[rows],
            obj_trans=frames.obj_trans[rows],
            occ_ratios=visible,
        )
    write_ref(root / "ref.pkl", annotations, load_templates())


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
