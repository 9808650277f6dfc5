"""The debug group: short runs of any experiment, each of which can be repeated."""

import csv

import pytest
from hydra import compose, initialize_config_dir
from together import ROOT
from whole_run import saved

from rhobin.engine.build import build_datamodule
from rhobin.engine.fit import fit
from rhobin.engine.runinfo import read_run
from rhobin.methods.khor.module import Khor


@pytest.fixture
def debug(tree_with_truth, tmp_path):
    """Composes an experiment of the debug group."""

    def make(name, method="khor", *overrides):
        with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            shared = [f"data.root={tree_with_truth}", f"run_dir={tmp_path / 'run'}", "threads=1"]
            return compose("train", [f"experiment={method}/smoke", f"debug={name}", *shared, *overrides])

    return make


@pytest.mark.parametrize("method", ["khor", "bev_hybrik", "g2dr"])
def test_one_step_of_every_method_is_trained_scored_and_saved(debug, method):
    run_dir = fit(debug("step", method))
    assert saved(run_dir)["global_step"] == 1
    assert read_run(run_dir)["state"] == "finished"
    assert not (run_dir / "stages").exists()
    with (run_dir / "metrics.csv").open() as file:
        assert any(row.get("val/MPJPE_PA") or row.get("val/AR_all") for row in csv.DictReader(file))


def test_a_run_can_be_repeated_and_what_was_there_is_kept_aside(debug, capsys):
    run_dir = fit(debug("step", "khor", "trainer.max_steps=2"))
    before = (run_dir / "metrics.csv").read_text()
    fit(debug("step"))
    assert saved(run_dir)["global_step"] == 1
    aside = run_dir / "checkpoints" / "aside"
    assert {p.name for p in aside.iterdir()} == {"step2_last.ckpt", "step2_best.ckpt", "metrics.csv"}
    assert (aside / "metrics.csv").read_text() == before
    assert "kept in checkpoints/aside" in " ".join(capsys.readouterr().out.split())
    fit(debug("step", "khor", "resume=auto"))
    assert "is finished: 1 steps" in " ".join(capsys.readouterr().out.split())


def test_overfitting_scores_the_views_that_are_trained_without_augmentation(debug):
    config = debug("overfit", "khor", "data.overfit=6")
    datamodule = build_datamodule(config)
    train, val = datamodule.train_dataset, datamodule.val_dataset
    assert [train.key(i) for i in range(6)] == [val.key(i) for i in range(6)]
    assert len(train) == len(val) == 6
    assert (train[1, 2].image == val[2].image).all()
    assert len(build_datamodule(debug("step")).train_dataset) > 6


def test_a_profile_lies_in_the_run_folder(debug):
    run_dir = fit(debug("profile"))
    (told,) = run_dir.glob("fit-profile*.txt")
    assert "convolution" in told.read_text()
    assert list(run_dir.glob("fit-profile*.pt.trace.json"))


def test_an_anomaly_names_the_operation(debug, monkeypatch):
    def spoilt(self, output, batch):
        losses = original(self, output, batch)
        return {**losses, "loss": losses["loss"] + (losses["joints"].detach() * output.beta.sum() * 0).sqrt()}

    original = Khor.losses
    monkeypatch.setattr(Khor, "losses", spoilt)
    with pytest.raises(RuntimeError, match="Function 'MulBackward0' returned nan values"):
        fit(debug("anomaly"))
