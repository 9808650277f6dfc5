"""`rhobin export`: the folder predicts what the run does, to the bit, and names nothing of the author's."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from behave_tree import TRAIN, make_tree, write_ground_truth
from exporting import composed, everything, smoke_run
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from rhobin.__main__ import main
from rhobin.behave.read import read_release
from rhobin.engine.build import build_module
from rhobin.engine.evaluate import evaluate
from rhobin.engine.exported import find_weights
from rhobin.engine.held_out import predict_held_out
from rhobin.engine.weights import init_weights
from rhobin.files import SEAL, read_sealed
from rhobin.scoring.document import read_scores
from rhobin.scoring.store import read_results

TEST = ("Date03_Sub04_backpack_back", "Date03_Sub06_stool_sit")
AVERAGED = "callbacks.ema={_target_: rhobin.engine.ema.WeightAverage, decay: 0.9}"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A folder whose name gives its author away, with data."""
    folder = tmp_path_factory.mktemp("zacharias")
    root = make_tree(folder / "behave", 2, TRAIN, TEST)
    write_ground_truth(root)
    return folder


@pytest.fixture(scope="module")
def run(places):
    """A scored run with averaged weights, whose log goes to an account."""
    account = "logger.tb={_target_: pytorch_lightning.loggers.TensorBoardLogger, save_dir: /home/zacharias}"
    run = smoke_run("bev_hybrik", places / "behave", places / "run", AVERAGED)
    config = (run / "config.yaml").read_text()
    assert "logger: {}" in config
    target, value = account.removeprefix("logger.").split("=", 1)
    (run / "config.yaml").write_text(config.replace("logger: {}", f"logger: {{{target}: {value}}}"))
    evaluate(composed("eval", f"run={run}", "threads=1"))
    return run


@pytest.fixture(scope="module")
def exported(run, places):
    assert main(["export", str(run), str(places / "out" / "mine")]) == 0
    return places / "out" / "mine"


def test_the_weights_are_those_of_the_checkpoint_the_average_where_there_is_one(run, exported):
    saved = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    ours = load_file(exported / "model.safetensors")
    assert ours.keys() == saved["state_dict"].keys()
    assert all(torch.equal(ours[name], value) for name, value in saved["state_dict"].items())
    training = saved["training_weights"]
    assert any(not torch.equal(ours[f"net.{name}"], value) for name, value in training.items())
    assert read_sealed(exported / "card.json")["averaged"]


def test_photographs_have_the_same_body_to_the_bit(run, exported, places, tmp_path, capsys):
    release = read_release(places / "behave", "test", (1,))
    color, mask, _ = release.view_files(0)
    for source, out in ((run, "run"), (exported, "export")):
        arguments = (source, color, "--mask", mask, "--focal", 100, "--out", tmp_path / out)
        assert main(["predict", *map(str, arguments)]) == 0, capsys.readouterr().err
    ours, theirs = (np.load(tmp_path / out / f"{color.stem}.npz") for out in ("export", "run"))
    assert ours.files == theirs.files
    assert "joints_error_mm" in ours.files, "the calibration went along"
    for name in theirs.files:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    told = [json.loads((tmp_path / out / f"{color.stem}.json").read_text()) for out in ("export", "run")]
    assert [facts.pop("checkpoint") for facts in told] == ["model.safetensors", "best.ckpt"]
    assert told[0] == told[1]


def test_nothing_of_the_authors_machine_is_in_the_folder(exported, places):
    content = everything(exported)
    for secret in (b"zacharias", str(places).encode(), str(Path.home()).encode() + b"/", b"Linux-"):
        assert secret not in content, secret
    config = (exported / "config.yaml").read_text()
    assert "root: data/behave_synthetic\n" in config
    assert "run_dir: runs/bev_hybrik_smoke\n" in config
    assert "logger: {}" in config
    assert read_sealed(exported / "card.json")["neutral"] == ["data.root", "logger", "run_dir"]


def test_the_hub_reads_the_card_which_says_that_the_data_are_generated(run, exported):
    card = ModelCard.load(exported / "README.md")
    assert (card.data.license, card.data.library_name) == ("mit", "rhobin")
    assert {"rhobin", "bev_hybrik", "human-mesh-recovery"} <= set(card.data.tags)
    title, first = card.text.strip().split("\n\n")[:2]
    assert title == "# BEV-HybrIK: bev_hybrik_smoke"
    assert first.startswith("**Trained on generated data**")
    assert "averaged over training steps" in first
    assert "rhobin predict mine photo.jpg --mask person.png" in card.text
    scored = read_scores(run)[0]["tracks"]["human"]["bev_hybrik"]["scores"]
    assert f"| {scored['MPJPE']:.1f} ±" in card.text
    assert "these are not BEHAVE scores" in card.text
    assert "of BEHAVE" not in card.text
    assert "24 rendered images" in card.text


def test_the_card_for_machines_is_sealed_and_names_hashes(run, exported):
    card, told = read_sealed(exported / "card.json"), json.loads((run / "run.json").read_text())
    assert SEAL in (exported / "card.json").read_text()
    assert card["checkpoint_hash"] == find_weights(run, "best").checkpoint_hash
    assert card["trained_on"]["data_hash"] == told["data_hash"]
    assert card["trained_on"]["body_hash"] == told["body_hash"]
    assert card["files"].keys() == {"model.safetensors", "config.yaml", "joint_calibration.json"}
    assert card["commit"] == told["git"]


def test_test_views_can_be_predicted_into_another_folder(run, exported, places, tmp_path):
    given = (f"run={exported}", f"data.root={places / 'behave'}", "threads=1", "views=val")
    with pytest.raises(ValueError, match=r"is an export, into which.*expected out=FOLDER"):
        predict_held_out(composed("eval", *given))
    before = everything(exported)
    ours = predict_held_out(composed("eval", *given, f"out={tmp_path / 'ours'}"))
    theirs = predict_held_out(composed("eval", f"run={run}", "threads=1", "views=val"))
    for (name, record), other in zip(
        read_results(ours)[0].items(), read_results(theirs)[0].values(), strict=True
    ):
        for key in ("poses", "betas", "trans"):
            np.testing.assert_array_equal(record[key], other[key], err_msg=f"{name} {key}")
    assert read_results(ours)[1].checkpoint_hash == read_results(theirs)[1].checkpoint_hash
    assert everything(exported) == before


def test_training_starts_from_an_export(run, exported, places):
    config = composed(
        "train", "experiment=bev_hybrik/smoke", f"data.root={places / 'behave'}", "data.workers=0"
    )
    from rhobin.engine.build import build_datamodule

    module = build_module(config, build_datamodule(config).assets)
    loaded = init_weights(module, exported / "model.safetensors")
    saved = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert (loaded.taken, loaded.missing, loaded.unexpected) == (len(saved), (), ())
    assert all(torch.equal(module.state_dict()[name], value) for name, value in saved.items())


def test_an_unfinished_run_can_be_exported_and_the_card_says_so(run, places, tmp_path, capsys):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    told = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(told | {"state": "interrupted by SIGTERM at step 2"}))
    (copy / "checkpoints" / "best.ckpt").unlink()
    out = tmp_path / "out"
    assert main(["export", str(copy), str(out), "--checkpoint", "last"]) == 0
    assert "not finished (state: interrupted by SIGTERM" in capsys.readouterr().out
    text = (out / "README.md").read_text()
    assert "**The training was not finished** (state: interrupted by SIGTERM at step 2)" in text
    assert "weights of the last checkpoint" in text
    assert "not scored when it was exported" in text, "scores.json is the best checkpoint's"
    assert not (out / "joint_calibration.json").exists(), "so are its calibrations"
    assert find_weights(out, "best") == find_weights(out, "last")
