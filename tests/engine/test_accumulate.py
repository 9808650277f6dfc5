"""Gradients of several batches added up: one row, one score, one checkpoint a step."""

import csv
import shutil

import pytest
import torch
from whole_run import assert_same_run, saved

from rhobin.engine.fit import fit

BATCHES = 6  # an epoch of the small tree


def column(run_dir, name):
    with (run_dir / "metrics.csv").open() as file:
        return [(int(row["step"]), float(row[name])) for row in csv.DictReader(file) if row[name]]


@pytest.fixture
def trained(smoke, tmp_path):
    """Two epochs in which nothing is learnt, so that losses of any grouping can be compared."""

    def train(accumulate, *overrides):
        return fit(
            smoke(
                tmp_path / f"run{accumulate}", "trainer.max_steps=-1", "trainer.max_epochs=2",
                f"trainer.accumulate_grad_batches={accumulate}", "optim.optimizer.lr=0",
                "callbacks.log.every_n_steps=1", "callbacks.evaluator.every_n_steps=2", *overrides,
            )
        )  # fmt: skip

    return train


def test_a_step_of_several_batches_is_one_row_with_their_mean(trained):
    unscored = "callbacks.evaluator.every_n_steps=1000"
    single = [value for _, value in column(trained(1, unscored), "train/loss")]
    assert len(single) == 2 * BATCHES
    for accumulate, groups in ((2, [2, 2, 2] * 2), (3, [3, 3] * 2), (4, [4, 2] * 2)):
        run_dir, start = trained(accumulate), 0
        rows = column(run_dir, "train/loss")
        assert [step for step, _ in rows] == list(range(1, len(groups) + 1))
        for (_, value), size in zip(rows, groups, strict=True):
            assert value == pytest.approx(sum(single[start : start + size]) / size, rel=1e-5)
            start += size
        scored = [step for step, _ in column(run_dir, "val/joint_mm")]
        assert scored == list(range(2, len(groups) + 1, 2))
        assert torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == len(
            groups
        )


@pytest.mark.parametrize("accumulate", [2, 3])
def test_every_checkpoint_is_of_whole_steps(accumulate, smoke, tmp_path):
    """Going on from the one before the last ends in the same bits."""
    overrides = (
        f"trainer.accumulate_grad_batches={accumulate}", "trainer.max_steps=4",
        "callbacks.checkpoints.every_n_steps=1", "callbacks.evaluator.every_n_steps=2",
    )  # fmt: skip
    run_dir = fit(smoke(tmp_path / "run", *overrides))
    assert saved(run_dir, "previous.ckpt")["rhobin"]["clock"] == {"batches": 3 * accumulate, "step": 3}
    again = shutil.copytree(run_dir, tmp_path / "again")
    previous = again / "checkpoints" / "previous.ckpt"
    assert_same_run(fit(smoke(again, *overrides, f"resume={previous}")), run_dir, 4)
