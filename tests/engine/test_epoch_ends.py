"""Kills at the last step of two epochs in a row, with a network that draws random numbers."""

import pytest
import pytorch_lightning as pl
import torch
from whole_run import assert_same_run, saved

from rhobin.engine.build import build_callbacks, instantiate
from rhobin.engine.fit import fit
from rhobin.engine.runinfo import read_run

EPOCH, EPOCHS = 6, 3
OVERRIDES = (
    "model.net._target_=dropout_net.DropoutNet",
    "callbacks.views=0",
    "callbacks.checkpoints.every_n_steps=1",
)
LIMITS = {
    "epochs": ("trainer.max_steps=-1", f"trainer.max_epochs={EPOCHS}"),
    "steps": (f"trainer.max_steps={EPOCH * EPOCHS}",),
}


class KilledError(BaseException):
    """Stands for SIGKILL."""


class DieAtEpochEnd(pl.Callback):
    def on_train_epoch_end(self, *args):
        raise KilledError


@pytest.fixture(scope="module")
def undisturbed(smoke, tmp_path_factory):
    return fit(smoke(tmp_path_factory.mktemp("dropout") / "run", *OVERRIDES, *LIMITS["epochs"]))


@pytest.mark.parametrize("limit", LIMITS)
def test_two_kills_in_a_row_end_at_the_planned_step_with_equal_weights(
    limit, smoke, undisturbed, tmp_path, monkeypatch
):
    config = smoke(tmp_path / "run", *OVERRIDES, *LIMITS[limit], "resume=auto")
    for epoch in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(
                "rhobin.engine.fit.build_callbacks", lambda *args: [*build_callbacks(*args), DieAtEpochEnd()]
            )
            with pytest.raises(KilledError):
                fit(config)
        assert saved(tmp_path / "run")["global_step"] == EPOCH * epoch
    run_dir = fit(config)
    assert_same_run(run_dir, undisturbed, EPOCH * EPOCHS)
    assert read_run(run_dir)["steps"] == EPOCH * EPOCHS
    ours, theirs = (saved(folder)["rhobin"]["random"]["torch"] for folder in (run_dir, undisturbed))
    assert torch.equal(ours, theirs)


def test_the_network_draws_random_numbers(smoke, tmp_path):
    """Without this the test above would compare nothing new."""
    net = instantiate(smoke(tmp_path, *OVERRIDES).model.net).train()
    image, object_id = torch.ones(1, 5, 64, 64), torch.zeros(1, dtype=torch.long)
    assert not torch.equal(net(image, object_id).beta, net(image, object_id).beta)
