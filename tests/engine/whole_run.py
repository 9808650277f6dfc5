"""A run that nothing interrupted, and how others are compared with it."""

import shutil

import pytorch_lightning as pl
import torch

STEPS = 14  # 24 training views in batches of 4: six steps an epoch, so the run ends in its third epoch
OVERRIDES = (
    f"trainer.max_steps={STEPS}",
    "callbacks.checkpoints.every_n_steps=1",
    "callbacks.evaluator.every_n_steps=4",
)


class KeepAll(pl.Callback):
    """Copies the run folder after every step's checkpoint."""

    def __init__(self, run_dir, to):
        self.run_dir, self.to = run_dir, to

    def on_train_batch_start(self, trainer, *args):
        if trainer.global_step:
            shutil.copytree(self.run_dir, self.to / f"{trainer.global_step}")


def saved(run_dir, name="last.ckpt"):
    return torch.load(run_dir / "checkpoints" / name, weights_only=True)


def assert_same_weights(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value), name


def assert_same_run(run_dir, reference, steps=STEPS):
    """Equal weights, optimiser state and log."""
    ours, theirs = saved(run_dir), saved(reference)
    assert ours["global_step"] == theirs["global_step"] == steps
    assert ours["epoch"] == theirs["epoch"]
    assert_same_weights(ours["state_dict"], theirs["state_dict"])
    for one, two in zip(ours["optimizer_states"], theirs["optimizer_states"], strict=True):
        for key, state in two["state"].items():
            assert all(
                torch.equal(torch.as_tensor(one["state"][key][k]), torch.as_tensor(v))
                for k, v in state.items()
            )
    assert (run_dir / "metrics.csv").read_text() == (reference / "metrics.csv").read_text()
    bests = [d / "checkpoints" / "best.ckpt" for d in (run_dir, reference)]
    assert bests[0].is_file() == bests[1].is_file()
    if bests[0].is_file():
        assert saved(run_dir, "best.ckpt")["global_step"] == saved(reference, "best.ckpt")["global_step"]
