"""Which settings may change when a run goes on."""

import pytest
from omegaconf import OmegaConf
from whole_run import OVERRIDES, assert_same_weights, saved

from rhobin.engine.fit import fit
from rhobin.engine.resume import ResumeError
from rhobin.engine.runinfo import FREE_KEYS, identity


@pytest.mark.parametrize("key", FREE_KEYS)
def test_each_free_key_is_in_the_config(key, smoke, tmp_path):
    parent, _, name = key.rpartition(".")
    config = smoke(tmp_path)
    assert name in (OmegaConf.select(config, parent) if parent else config)


FREE = [
    "data.workers=3", "data.cache.mb=7", "data.cache.kind=none",
    "callbacks.log.every_n_steps=7", "callbacks.progress.every_n_steps=7",
    "callbacks.checkpoints.every_n_steps=7", "callbacks.evaluator.tracks=[]", "threads=3", "logger=wandb",
    "+stages.one.data.workers=3", "+stages.one.callbacks.checkpoints.every_n_steps=7",
]  # fmt: skip
BOUND = [
    "data.batch_size=2", "data.seed=1", "seed=1", "trainer.max_steps=5", "trainer.precision=bf16-mixed",
    "optim.optimizer.lr=1", "callbacks.evaluator.every_n_steps=7", "callbacks.views=2",
    "callbacks.evaluator.monitor.name=val/object_mm", "freeze=[net.backbone]",
    "+stages.one.data.batch_size=2",
]  # fmt: skip


@pytest.mark.parametrize("change", FREE)
def test_what_changes_no_result_may_change(change, smoke, tmp_path):
    assert identity(smoke(tmp_path, change)) == identity(smoke(tmp_path))


@pytest.mark.parametrize("change", BOUND)
def test_what_changes_results_may_not(change, smoke, tmp_path):
    assert identity(smoke(tmp_path, change)) != identity(smoke(tmp_path))


def test_a_run_goes_on_with_other_intervals_and_ends_alike(smoke, reference, stopped_at):
    run_dir = stopped_at(7)
    intervals = ("callbacks.checkpoints.every_n_steps=5", "callbacks.log.every_n_steps=2")
    fit(smoke(run_dir, *OVERRIDES, *intervals, "resume=auto"))
    assert_same_weights(saved(run_dir)["state_dict"], saved(reference)["state_dict"])
    with pytest.raises(ResumeError, match=r"callbacks\.evaluator\.every_n_steps: 4 -> 5"):
        fit(smoke(stopped_at(7), *OVERRIDES, "callbacks.evaluator.every_n_steps=5", "resume=auto"))
