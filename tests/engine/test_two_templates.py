"""A root with two of the twenty templates is trained on, validated and scored with the right ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from behave_tree import make_tree, write_ground_truth
from hydra import compose, initialize_config_dir

from rhobin.engine.build import build_datamodule, build_module
from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.engine.validation import ValidationScores
from rhobin.objects.load import load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

CONFIGS = Path(__file__).parents[2] / "configs"
HAS = ("basketball", "boxlarge")
TRAIN = ("Date01_Sub01_basketball", "Date01_Sub01_boxlarge_lift", "Date02_Sub02_basketball")
TEST = ("Date03_Sub04_boxlarge_hold", "Date03_Sub04_basketball")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("two") / "tree", 2, TRAIN, TEST)
    write_ground_truth(root)
    for name in set(OBJECT_NAMES) - set(HAS):
        shutil.rmtree(root / "objects" / name)
    return root


def test_ground_truth_scores_the_floor_in_validation_and_in_the_track(root, smoke, tmp_path):
    """With another template of the two the object would be off by its size: hundreds of millimetres."""
    config = smoke(tmp_path / "run", f"data.root={root}", "callbacks.views=0", "trainer.max_steps=4")
    datamodule = build_datamodule(config)
    scores = ValidationScores(datamodule.assets, samples=2000)
    for batch in datamodule.test_dataloader():
        human, obj = batch.target.human, batch.target.object
        scores.add(
            batch,
            Prediction(HumanPrediction(human.theta, human.beta, human.trans), ObjectPrediction(obj.R, obj.t)),
        )
        for key, object_id in zip(batch.keys, batch.object_id.tolist(), strict=True):
            assert OBJECT_NAMES[object_id] == key.sequence.split("_")[2]
    found = scores.compute()
    assert found["object_mm"] < 40
    assert found["MSSD"] < 1e-2
    run_dir = fit(config)
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        evaluate(compose("eval", [f"run={run_dir}", "protocol.samples=2000", "checkpoint=last"]))
    rows = json.loads((run_dir / "last" / "scores.json").read_text())["tracks"]
    assert rows["joint"]["perfect"]["scores"]["Object"] < 40
    assert rows["object"]["perfect"]["scores"]["MSSD"] < 1e-2
    assert np.isfinite(rows["joint"]["khor"]["scores"]["Object"])


def test_the_network_decodes_with_the_template_of_the_name(root, smoke, tmp_path):
    config = smoke(tmp_path / "run", f"data.root={root}", "callbacks.views=0")
    datamodule = build_datamodule(config)
    module, templates = build_module(config, datamodule.assets), load_templates(root / "objects")
    for index, name in enumerate(OBJECT_NAMES):
        kpts = module.template_kpts[index].double().numpy()
        if name in HAS:
            np.testing.assert_allclose(kpts, templates[name].kpts, atol=1e-6)
        else:
            assert np.isnan(kpts).all()
