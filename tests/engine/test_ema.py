"""Averaged weights: what they are, what is scored and stored, and that a resume keeps them."""

import csv

import pytest
import pytorch_lightning as pl
import torch
from torch.optim.swa_utils import AveragedModel

from rhobin.engine.build import build_callbacks, build_datamodule, build_module, validation_views
from rhobin.engine.ema import averaging
from rhobin.engine.fit import fit
from rhobin.engine.predict import load_weights

DECAY = 0.7
EMA = "callbacks.ema={_target_: rhobin.engine.ema.WeightAverage, decay: 0.7}"
SHORT = (
    "trainer.max_steps=8",
    "callbacks.evaluator.every_n_steps=4",
    "callbacks.checkpoints.every_n_steps=1",
)


class Recorder(pl.Callback):
    """Keeps the weights of training after every batch, and stops after some."""

    def __init__(self, stop=None):
        self.seen, self.stop = [], stop

    def on_train_batch_end(self, trainer, module, *args):
        self.seen.append({name: value.clone() for name, value in module.net.state_dict().items()})
        if len(self.seen) == self.stop:
            raise RuntimeError("stopped here")


@pytest.fixture
def watched(monkeypatch):
    def watch(stop=None):
        recorder = Recorder(stop)
        monkeypatch.setattr(
            "rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), recorder]
        )
        return recorder

    return watch


@pytest.fixture(scope="module")
def averaged(smoke, tmp_path_factory):
    """An uninterrupted run with the average, and the weights of training after each of its batches."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), recorder])
        return fit(smoke(tmp_path_factory.mktemp("averaged") / "run", EMA, *SHORT)), recorder.seen


def last(run_dir):
    return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)


def average(states):
    mean = {name: value.clone() for name, value in states[0].items()}
    for state in states[1:]:
        for name, value in state.items():
            if value.is_floating_point():
                mean[name] = DECAY * mean[name] + (1 - DECAY) * value
    return mean


def test_a_checkpoint_holds_the_average_and_beside_it_the_weights_of_training(averaged):
    run_dir, seen = averaged
    saved = last(run_dir)
    for name, value in average(seen).items():
        if value.is_floating_point():
            torch.testing.assert_close(saved["state_dict"][f"net.{name}"], value)
    for name, value in seen[-1].items():
        assert torch.equal(saved["training_weights"][name], value)
    weight = "net.beta.weight"
    assert not torch.equal(saved["state_dict"][weight], saved["training_weights"]["beta.weight"])


def test_the_average_is_what_is_scored_and_predicted(smoke, tmp_path, averaged):
    plain, run_dir = fit(smoke(tmp_path / "plain", *SHORT)), averaged[0]

    def column(folder, name):
        with (folder / "metrics.csv").open() as file:
            return [row[name] for row in csv.DictReader(file) if row[name]]

    assert column(run_dir, "train/loss") == column(plain, "train/loss")  # averaging does not touch training
    assert column(run_dir, "val/joint_mm") != column(plain, "val/joint_mm")
    config = smoke(run_dir, EMA, *SHORT)
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule.assets)
    load_weights(module, run_dir / "checkpoints" / "last.ckpt", config)
    module.eval()
    with torch.no_grad():
        losses = [
            module.losses(module.run_net(batch), batch)["loss"].item()
            for batch in validation_views(datamodule, 4)
        ]
    assert float(column(run_dir, "val/loss")[-1]) == pytest.approx(sum(losses) / len(losses), rel=1e-6)


@pytest.mark.parametrize("stop", [3, 6])
def test_a_resumed_run_has_the_same_average(stop, smoke, tmp_path, watched, averaged):
    whole, _ = averaged
    watched(stop)
    with pytest.raises(RuntimeError, match="stopped here"):
        fit(smoke(tmp_path / "part", EMA, *SHORT))
    watched()
    part = fit(smoke(tmp_path / "part", EMA, *SHORT, "resume=auto"))
    for kind in ("state_dict", "training_weights"):
        ours, theirs = last(part)[kind], last(whole)[kind]
        assert all(torch.equal(ours[name], value) for name, value in theirs.items()), kind
    assert (part / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()


def test_a_senseless_decay_is_refused(smoke, tmp_path):
    with pytest.raises(Exception, match=r"callbacks\.ema\.decay is 1\.5"):
        fit(smoke(tmp_path / "run", EMA.replace("0.7", "1.5"), *SHORT))


def test_whole_numbers_are_copied_not_averaged():
    net = torch.nn.BatchNorm1d(2)
    net.register_buffer("table", torch.arange(60))
    averaged = AveragedModel(net, multi_avg_fn=averaging(0.9999), use_buffers=True)
    for _ in range(5):
        averaged.update_parameters(net)
    assert torch.equal(averaged.module.table, net.table)
