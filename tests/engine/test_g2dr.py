"""Two networks under one clock, in two stages: averaged, accumulated, on two processes, stopped by a NaN."""

import csv
from pathlib import Path

import pytest
import torch
from behave_tree import make_tree, write_ground_truth
from commands import succeed
from hydra import compose, initialize_config_dir

from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.methods.finite import NonFiniteLossError
from rhobin.methods.g2dr.gan import Adversary
from rhobin.methods.g2dr.module import G2dr

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ONE_STAGE = ("~stages.first", "~stages.second")


def composed(tree, run_dir, *overrides):
    shared = [f"data.root={tree}", f"run_dir={run_dir}", "data.workers=0", "threads=1"]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train", ["experiment=g2dr/smoke", *shared, *overrides])


def saved(run_dir, name="last.ckpt"):
    return torch.load(run_dir / "checkpoints" / name, weights_only=True)


def rows(run_dir, column):
    with (run_dir / "metrics.csv").open() as file:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(file) if row.get(column)}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("behave"))
    write_ground_truth(root)
    return root


@pytest.fixture(scope="module")
def trained(tree, tmp_path_factory):
    return fit(composed(tree, tmp_path_factory.mktemp("g2dr") / "run"))


def test_both_networks_are_trained_saved_and_logged(trained):
    state = saved(trained)
    assert state["global_step"] == 10
    assert len(state["optimizer_states"]) == 2
    assert any(name.endswith("_u") for name in state["state_dict"]), "power vectors are in the checkpoint"
    assert float(state["state_dict"]["gan.norms"].min()) > 0
    for column in ("train/gan/real", "train/gan/fake", "train/gradient/net", "train/gradient/gan"):
        assert rows(trained, column), column
    assert set(rows(trained, "val/AR_all")) == {4, 8, 10}


def test_the_discriminator_rests_until_its_start(tree, tmp_path):
    """start 0.3 of ten steps: three steps without it, in which its weights keep still."""
    from rhobin.engine.build import build_datamodule, build_module

    fit(
        composed(
            tree, tmp_path / "short", *ONE_STAGE, "trainer.max_steps=10", "callbacks.log.every_n_steps=1"
        )
    )
    assert min(rows(tmp_path / "short", "train/gan/real")) == 4
    config = composed(tree, tmp_path / "never", *ONE_STAGE, "trainer.max_steps=3", "model.gan.start=1.0")
    fit(config)
    torch.manual_seed(0)
    state = saved(tmp_path / "never")["state_dict"]
    module = build_module(config, build_datamodule(config).assets)
    assert state.keys() == module.state_dict().keys()
    assert float(state["gan.norms"].sum()) == 0
    assert not saved(tmp_path / "never")["optimizer_states"][1]["state"], "its optimiser has not moved"


def test_evaluated_and_reported(trained):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        evaluate(compose("eval", [f"run={trained}", "threads=1"]))
    page = (trained / "report.html").read_text()
    assert "G2DR" in page


def test_without_a_discriminator_there_is_one_optimiser(tree, tmp_path):
    fit(composed(tree, tmp_path / "run", *ONE_STAGE, "model.gan=null", "trainer.max_steps=3"))
    state = saved(tmp_path / "run")
    assert len(state["optimizer_states"]) == 1
    assert not any(name.startswith("gan") for name in state["state_dict"])


def test_weights_change_at_the_switch(tree, tmp_path):
    """With a rate of 0 only the weight of one loss changes, in the middle of the run."""
    run = tmp_path / "run"
    fit(
        composed(
            tree, run, *ONE_STAGE, "optim.optimizer.lr=0", "model.gan=null", "trainer.max_steps=6",
            "callbacks.log.every_n_steps=1", "model.weights.points=1.0", "model.late={points: 3.0}",
            "model.switch=0.5",
        )
    )  # fmt: skip
    parts = ("nocs", "region", "visible", "amodal", "points", "centre", "depth")
    for step, total in rows(run, "train/loss").items():
        weight = 3.0 if step > 3 else 1.0
        terms = {name: rows(run, f"train/{name}")[step] for name in parts}
        assert total == pytest.approx(sum(terms.values()) + (weight - 1) * terms["points"], rel=1e-4)


def test_accumulated_gradients_move_both_networks_once(tree, tmp_path):
    run = tmp_path / "run"
    fit(composed(tree, run, *ONE_STAGE, "trainer.accumulate_grad_batches=2", "trainer.max_steps=4"))
    state = saved(run)
    assert state["global_step"] == 4
    net, gan = state["optimizer_states"]
    assert {group["step"] for group in net["param_groups"]} == {4}
    assert int(next(iter(gan["state"].values()))["step"]) == 2, "the discriminator begins at step 3 of 4"


def test_averaged_weights_are_the_networks_alone(tree, tmp_path):
    average = "callbacks.ema={_target_: rhobin.engine.ema.WeightAverage, decay: 0.9}"
    fit(composed(tree, tmp_path / "run", *ONE_STAGE, average, "trainer.max_steps=6"))
    assert set(rows(tmp_path / "run", "val/AR_all")) == {4, 6}


@pytest.mark.parametrize("where", ["net", "gan"])
def test_a_nan_in_either_network_stops_with_the_batch_saved(tree, tmp_path, monkeypatch, where):
    count = {"n": 0}

    def spoilt(self, *args):
        count["n"] += 1
        output = original(self, *args)
        if count["n"] < 3:
            return output
        if where == "gan":
            return output._replace(discriminator=output.discriminator * float("nan"))
        return output._replace(nocs=output.nocs * float("nan"))

    owner, name = (Adversary, "forward") if where == "gan" else (G2dr, "run_net")
    original = getattr(owner, name)
    monkeypatch.setattr(owner, name, spoilt)
    run = tmp_path / "run"
    overrides = (*ONE_STAGE, "model.gan.start=0", "callbacks.evaluator.every_n_steps=100")
    with pytest.raises(NonFiniteLossError) as error:
        fit(composed(tree, run, *overrides))
    batch = torch.load(run / "bad_batch_0.pt", weights_only=True)
    assert batch["image"].shape[0] == len(batch["views"]) == 4
    for view in batch["views"]:
        assert view in str(error.value)
    assert str(run / "bad_batch_0.pt") in str(error.value)
    assert saved(run)["global_step"] == 2
    assert all(torch.isfinite(v).all() for v in saved(run)["state_dict"].values() if v.is_floating_point())


def test_two_processes_end_with_the_same_networks(tree, tmp_path):
    """DDP on two processes: weights, power vectors and running norms, before and after the late start."""
    states = tmp_path / "states"
    states.mkdir()
    succeed(
        "train.py", "experiment=g2dr/smoke", f"data.root={tree}", f"run_dir={tmp_path / 'run'}",
        "data.workers=0", "threads=1", *ONE_STAGE, "trainer=ddp", "trainer.accelerator=cpu",
        "trainer.devices=2", "trainer.max_steps=6", "data.batch_size=2", "callbacks.views=0",
        f"+callbacks.states={{_target_: rank_states.RankStates, folder: {states}}}", path=(str(HERE),),
    )  # fmt: skip
    first, second = (torch.load(states / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    trained = [name for name in first if name.startswith(("net.", "gan."))]
    assert [n for n in trained if not torch.equal(first[n], second[n])] == []
    assert any(name.endswith("_u") for name in trained)
