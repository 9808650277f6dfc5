"""Two processes with half a batch each train what one process trains: losses, scores, kills and errors."""

import csv
import json
import os
import signal

import pytest
import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf
from together import DDP, composed, fit_double, train, with_double_precision
from whole_run import saved

from rhobin import ranks
from rhobin.engine.processes import check_batch
from rhobin.engine.resume import ResumeError, Start

METHODS = ("khor", "bev_hybrik", "g2dr")
STEPS, KILLED, SAVED = 20, 7, 6
LOGGED = 2e-7  # two units of the eighth digit, which is the last that is logged


def overrides(method, tree, run_dir, *more):
    return (
        f"experiment={method}/smoke", f"data.root={tree}", f"run_dir={run_dir}", "data.workers=0",
        "threads=1", "stages=null", f"trainer.max_steps={STEPS}", "callbacks.log.every_n_steps=1",
        "callbacks.views=5", f"callbacks.evaluator.every_n_steps={STEPS}", "callbacks.evaluator.samples=100",
        f"callbacks.checkpoints.every_n_steps={SAVED}", "data.cache.kind=ram", *more,
    )  # fmt: skip


def rows(run_dir):
    with (run_dir / "metrics.csv").open() as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


class Kill(pl.Callback):
    """Ends its own process in the middle of a step."""

    def on_after_backward(self, trainer, module):
        if module.clock.batches == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(config):
    from rhobin.engine import fit

    with_double_precision()
    build = fit.build_callbacks
    fit.build_callbacks = lambda *args: [*build(*args), Kill()]
    fit.fit(composed(*config))


@pytest.fixture(scope="module")
def trained(tree_with_truth, tmp_path_factory):
    """Folders METHOD_1 and METHOD_2 of runs of one and of two processes, which were killed and went on."""
    folder = tmp_path_factory.mktemp("together")
    alone = [overrides(m, tree_with_truth, folder / f"{m}_1") for m in METHODS]
    assert train(fit_double, folder, alone, count=1) == [0], (folder / "0").read_text()
    jobs = [overrides(m, tree_with_truth, folder / f"{m}_2", *DDP) for m in METHODS]
    for method, job in zip(METHODS, jobs, strict=True):
        assert train(killed, folder, job) == [-signal.SIGKILL] * 2
        assert saved(folder / f"{method}_2")["global_step"] == SAVED
    said = train(fit_double, folder, [(*job, "resume=auto") for job in jobs])
    assert said == [0, 0], (folder / "0").read_text() + (folder / "1").read_text()
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_that_were_killed_have_the_losses_and_scores_of_one(trained, method):
    one, two = (rows(trained / f"{method}_{count}") for count in (1, 2))
    assert [row.keys() for row in one] == [row.keys() for row in two]
    for ours, theirs in zip(two, one, strict=True):
        for name, value in theirs.items():
            if name.startswith("val/") and name.replace("val/", "train/") in one[0]:
                continue  # means of batches, whose sizes differ
            assert ours[name] == pytest.approx(value, rel=LOGGED), name


def test_one_folder_is_written_and_the_batch_is_told(trained):
    info = json.loads((trained / "khor_2" / "run.json").read_text())
    assert (info["processes"], info["state"], info["threads"]) == (2, "finished", [1])
    assert saved(trained / "khor_2")["rhobin"]["processes"] == 2
    said = " ".join((trained / "0").read_text().replace("│", " ").split())
    told = "4 samples a step: 2 a device x 2 processes x 1 added up; learning rate 0.004 as configured, not"
    assert told in said
    assert not (trained / "1").read_text()


def spoilt(config):
    """Train with a loss in the second process that is no number from its third batch on."""
    from rhobin.engine.fit import fit
    from rhobin.methods.khor.module import Khor

    def run_net(self, batch):
        output = original(self, batch)
        bad = ranks.rank() == 1 and self.clock.batches == 2
        return output._replace(beta=output.beta * float("nan")) if bad else output

    original, Khor.run_net = Khor.run_net, run_net
    fit(composed(*config))


def test_a_nan_in_one_process_ends_both_with_one_error(tree_with_truth, tmp_path):
    run_dir = tmp_path / "run"
    assert train(spoilt, tmp_path, overrides("khor", tree_with_truth, run_dir, *DDP)) == [1, 0]
    batch = torch.load(run_dir / "bad_batch_1.pt", weights_only=True)
    assert not (run_dir / "bad_batch_0.pt").exists()
    error = (tmp_path / "0").read_text().splitlines()[-1]
    assert error.startswith("rhobin.methods.finite.NonFiniteLossError: loss is not finite at step 2: ")
    assert all(view in error for view in batch["views"])
    assert str(run_dir / "bad_batch_1.pt") in error
    assert not (tmp_path / "1").read_text()
    assert json.loads((run_dir / "run.json").read_text())["state"] == "failed: NonFiniteLossError"


def test_another_number_of_processes_goes_on_where_the_batch_is_the_same(tmp_path):
    start = Start(tmp_path / "last.ckpt", processes=2, batch_size=4)
    config = OmegaConf.create({"data": {"batch_size": 8}, "trainer": {}, "allow_changes": False})
    (told,) = check_batch(start, config, 1)
    assert "1 x 8 samples a batch (processes x data.batch_size) after 2 x 4: the same samples" in told
    assert told.endswith("the same to rounding")
    config.data.batch_size = 2
    (told,) = check_batch(start, config, 4)
    assert told.endswith("but for batch norms, which each process has of its own")
    with pytest.raises(ResumeError, match=r"3 x 2 samples.*so that all processes together take 8"):
        check_batch(start, config, 3)
    config.allow_changes = True
    assert "epochs are dealt anew" in check_batch(start, config, 3)[0]
    assert check_batch(start, config, 2) == []
