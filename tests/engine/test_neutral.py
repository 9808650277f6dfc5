"""A shared config names no place of its author's, and a card says which licence follows from the data."""

from types import SimpleNamespace

import pytest
import yaml
from omegaconf import OmegaConf

from rhobin.engine.neutral import REMOVED, neutral_config
from rhobin.engine.trained_on import (
    FREE,
    RESEARCH,
    UNKNOWN,
    licence_of,
    neutral_places,
    started_from,
    told_templates,
)
from rhobin.objects.load import load_templates
from rhobin.reports.model_card import model_card

SECRET = {
    "name": "mine",
    "run_dir": "/home/ann/runs/mine",
    "resume": "/home/ann/last.ckpt",
    "init_from": "../ann/best.ckpt",
    "logger": {"wandb": {"entity": "ann"}},
    "data": {
        "root": "ann/data",
        "body": "~/ann/body",
        "augment": {"background_from": "ann/pictures", "background_p": 0.5, "rotation_deg": 30.0},
    },
    "model": {"net": {"backbone": {"weights": "ann/hrnet.pth", "variant": "hrnet_w48"}}},
    "callbacks": {"monitor": "val/joint_mm", "more": [{"folder": "/home/ann/x"}, {"folder": r"C:\ann"}]},
    "trainer": {"default_root_dir": "file:///home/ann", "note": "see (/home/ann)", "precision": "32-true"},
    "stages": {
        "first": {"init_from": "ann/other.ckpt", "data": {"root": "ann/renders"}},
        "second": {"init_from": "best"},
    },
}


def test_every_place_is_replaced_and_nothing_else():
    text, changed = neutral_config(OmegaConf.create(SECRET), "data/behave", "data/body")
    assert "ann" not in text
    kept = yaml.safe_load(text)
    assert kept["data"] == {
        "root": "data/behave",
        "body": "data/body",
        "augment": {"background_from": "rooms", "background_p": 0.5, "rotation_deg": 30.0},
    }
    assert kept["model"]["net"]["backbone"] == {"weights": None, "variant": "hrnet_w48"}
    assert kept["callbacks"] == {
        "monitor": "val/joint_mm",
        "more": [{"folder": REMOVED}, {"folder": REMOVED}],
    }
    assert kept["stages"] == {
        "first": {"init_from": None, "data": {"root": "data/behave"}},
        "second": {"init_from": "best"},
    }
    assert (kept["run_dir"], kept["resume"], kept["init_from"]) == ("runs/mine", "none", None)
    assert "stages.first.data.root" in changed
    assert len(changed) == 14
    assert neutral_config(OmegaConf.create(kept), "data/behave", "data/body") == (text, [])


def test_what_weights_started_from():
    assert started_from(OmegaConf.create(SECRET)) == "another run"
    own = SECRET | {"init_from": None, "stages": {"second": {"init_from": "best"}}}
    assert started_from(OmegaConf.create(own)) == "a file"
    for weights, told in (("imagenet", "imagenet"), (None, "random")):
        own["model"] = {"net": {"backbone": {"weights": weights}}}
        assert started_from(OmegaConf.create(own)) == told


GENERATED = {
    "generated": True,
    "data_hash": "d",
    "views": 1000,
    "sequences": 2,
    "objects": ["stool"],
    "body": "stand-in",
    "body_hash": "b",
    "licensed_body": False,
    "templates": {"stool": {"sha256": "s", "built_in": True}},
    "started_from": "random",
    "other_backgrounds": False,
}
OWN = {"mug": {"sha256": "m", "built_in": False}}
SMPLH = {"body": "SMPL-H", "licensed_body": True}


@pytest.mark.parametrize(
    ("changes", "licence", "said"),
    [
        ({}, FREE, "So these weights are under the MIT licence"),
        ({"generated": False, **SMPLH}, RESEARCH, "BEHAVE is licensed for non-commercial research only"),
        (SMPLH, RESEARCH, "SMPL-H is licensed for non-commercial research only"),
        ({"started_from": "another run"}, UNKNOWN, "weights that training began with holds as well"),
        ({"other_backgrounds": True}, UNKNOWN, "images that stood in as backgrounds"),
        ({"templates": OWN}, UNKNOWN, "author's own object templates"),
    ],
)
def test_the_licence_follows_from_the_data(changes, licence, said):
    data = GENERATED | changes
    assert licence_of(data) == licence
    needed = [name for name, told in data["templates"].items() if not told["built_in"]]
    text = model_card(_facts(data, licence, needed), "khor")
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == licence["license"]
    assert said in text
    assert ("MIT licence" in text) == (licence is FREE)
    assert ("**Trained on generated data**" in text) == data["generated"]
    assert ("`--templates FOLDER`" in text) == bool(needed)
    assert ("`--body FOLDER`" in text) == data["licensed_body"]


def _facts(data, licence, needed):
    told = {"title": "KHOR", "name": "mine", "method": "khor", "paper": "", "checkpoint": "best", "step": 7}
    more = {"averaged": False, "parameters": 5, "state": "finished", "predicts": ["human", "object"]}
    source = {"commit": None, "python": None, "versions": {}, "rhobin": "0", "run": "r", "config_hash": "c"}
    rest = {"checkpoint_hash": "h", "neutral": [], "scores": [], "reads": ["color"]}
    return {
        **told,
        **more,
        **source,
        **rest,
        "trained_on": data,
        "licence": licence,
        "templates_needed": needed,
    }


def test_places_stand_where_the_readme_of_the_data_puts_them():
    assert neutral_places(GENERATED, None) == ("data/behave_synthetic", None)
    assert neutral_places(GENERATED, "/x/standin-copy") == ("data/behave_synthetic", "standin")
    assert neutral_places(GENERATED | SMPLH | {"generated": False}, "/x") == ("data/behave", "data/body")


def test_only_meshes_of_ours_count_as_built_in():
    stool = load_templates()["stool"]
    other = SimpleNamespace(name="monitor", sha256="scanned")
    own = SimpleNamespace(name="mug", sha256="m")
    told = told_templates({2: own, 1: other, 0: stool})
    assert [(name, entry["built_in"]) for name, entry in told.items()] == [
        ("stool", True), ("monitor", False), ("mug", False),
    ]  # fmt: skip
