"""Trials that fail are kept with their reason; what cannot be meant is refused before anything is trained."""

import math
import os
import signal
from dataclasses import replace

import optuna
import pytest
import torch
from fake_study import make_plan, outcome, work
from omegaconf import OmegaConf

from rhobin.engine.compose import compose_config
from rhobin.engine.search.best import overlay
from rhobin.engine.search.plan import plan_identity, read_plan
from rhobin.engine.search.run import check_plan_by_trying
from rhobin.engine.search.space import check_space, distributions
from rhobin.engine.search.study import open_study
from rhobin.engine.search.telling import SweepError
from rhobin.engine.signals import Interrupted, command_to_go_on, stop_requests
from rhobin.methods.base import NonFiniteLossError

SMOKE = ("sweep=khor_lr", "sweep.experiment=khor/smoke")


def test_failed_trials_are_kept_with_their_reason_and_the_sweep_goes_on(tmp_path, monkeypatch):
    failures = {
        1: NonFiniteLossError("the loss is nan", None),
        2: torch.OutOfMemoryError("CUDA out of memory"),
    }
    found = outcome(work(make_plan(tmp_path), monkeypatch, fails=failures))
    assert [found[n][1] for n in (0, 1, 2)] == ["COMPLETE", "FAIL", "FAIL"]
    assert found[1][5] == "NonFiniteLossError: the loss is nan"
    assert found[2][5] == "OutOfMemoryError: CUDA out of memory"
    assert len(found) == 8
    assert "NonFiniteLossError" in (tmp_path / "trial_001" / "failure.txt").read_text()
    page = (tmp_path / "study.html").read_text()
    assert "CUDA out of memory" in page
    assert "2 failed" in page


def test_a_trial_on_other_data_is_not_compared_with_those_before(tmp_path, monkeypatch):
    hashes = {"trial_000": "first", "trial_001": "other", "trial_002": "first"}
    monkeypatch.setattr("rhobin.engine.search.run.read_run", lambda run: {"data_hash": hashes[run.name]})
    found = outcome(work(make_plan(tmp_path, trials=3, pruner=None), monkeypatch))
    assert [state for _, state, *_ in found] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert "data have the hash other, those of trial_000 had first" in found[1][5]


def test_failures_in_a_row_end_with_an_error_and_the_next_call_tries_further_ones(tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    with pytest.raises(SweepError, match=r"3 trials in a row failed(.|\n)*trial_002: ValueError: no good"):
        work(plan, monkeypatch, fails={n: ValueError("no good") for n in range(8)})
    found = outcome(work(plan, monkeypatch))
    assert [state for _, state, *_ in found[:4]] == ["FAIL"] * 3 + ["COMPLETE"]


def test_a_study_without_any_value_ends_with_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("fake_study.score", lambda values, step: math.nan)
    with pytest.raises(SweepError, match="2 of 2 trials have ended, and none has a value"):
        work(make_plan(tmp_path, trials=2), monkeypatch)
    assert not (tmp_path / "experiment").exists()


def test_a_signal_stops_the_sweep_and_the_trial_goes_on_later(tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    monkeypatch.setattr("fake_study.score", lambda *args: os.kill(os.getpid(), signal.SIGTERM) or 1.0)
    with stop_requests(), pytest.raises(Interrupted):
        work(plan, monkeypatch)
    monkeypatch.undo()
    assert len(outcome(work(plan, monkeypatch))) == 8
    monkeypatch.setattr("sys.argv", ["/bin/rhobin", "sweep", "sweep=khor_lr", "name=two words"])
    assert command_to_go_on() == "rhobin sweep sweep=khor_lr 'name=two words'"


def test_another_space_on_one_study_is_refused_with_what_differs(tmp_path):
    plan = read_plan([*SMOKE, f"sweep.folder={tmp_path}"])
    open_study(plan)
    open_study(replace(plan, trials=40, failures=1))
    space = {**plan.space, "optim.optimizer.lr": {"type": "float", "low": 1e-6, "high": 1e-2, "log": True}}
    with pytest.raises(ValueError, match=r"sweep\.space\.optim\.optimizer\.lr\.low: 0\.0004 -> 1e-06"):
        open_study(replace(plan, space=space))
    with pytest.raises(ValueError, match=r"trainer\.max_steps: 24 -> 9"):
        open_study(replace(plan, overrides=("trainer.max_steps=9",)))
    open_study(replace(plan, overrides=("data.root=elsewhere", "data.workers=3")))


def test_a_study_is_worked_on_in_one_folder(tmp_path, monkeypatch):
    plan = make_plan(tmp_path / "one", storage=f"sqlite:///{tmp_path}/study.db", trials=1)
    work(plan, monkeypatch)
    with pytest.raises(ValueError, match=r"the study fake in sqlite.* belongs to another folder"):
        work(replace(plan, folder=tmp_path / "two"), monkeypatch)


def test_a_folder_holds_one_study_which_another_name_leaves_as_it_was(tmp_path, monkeypatch):
    plan = make_plan(tmp_path, trials=1)
    before = outcome(work(plan, monkeypatch))
    with pytest.raises(ValueError, match=r"holds the study fake, expected a folder .* sweep\.study=fake"):
        work(replace(plan, study="other"), monkeypatch)
    assert outcome(work(plan, monkeypatch)) == before


def test_trials_whose_study_is_gone_are_told(tmp_path, monkeypatch):
    plan = make_plan(tmp_path, trials=1)
    work(plan, monkeypatch)
    (tmp_path / "journal.log").unlink()
    with pytest.raises(
        ValueError, match=r"trial_000 is a trial of a study that .*journal\.log does not know"
    ):
        work(plan, monkeypatch)


def test_a_search_without_pruner_trains_every_trial_to_its_end(tmp_path, monkeypatch):
    plan = make_plan(tmp_path, trials=5, pruner=None)
    optuna.logging.set_verbosity(optuna.logging.INFO)
    check_plan_by_trying(plan, distributions(plan))
    assert optuna.logging.get_verbosity() == optuna.logging.WARNING, (
        "Optuna would talk about a study in memory"
    )
    assert [state for _, state, *_ in outcome(work(plan, monkeypatch))] == ["COMPLETE"] * 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "You must specify 'sweep'"),
        (("sweep=nothing",), "Could not find 'sweep/nothing'(.|\n)*khor_lr"),
        ((*SMOKE, "sweep.trails=3"), "trails"),
        ((*SMOKE, "sweep.trials=0"), r"sweep.trials is 0; expected a whole number of at least 1"),
        ((*SMOKE, "sweep.direction=down"), "expected minimize or maximize"),
        ((*SMOKE, "sweep.metric=val/AR_all"), "is 'minimize'; expected maximize, since a larger val/AR_all"),
        ((*SMOKE, "run_dir=here"), "the sweep sets run_dir itself"),
        ((*SMOKE, "experiment=khor/paper"), "the sweep sets experiment itself; see sweep.experiment"),
        ((*SMOKE, "optim.optimizer.lr=1e-3"), "the sweep searches optim.optimizer.lr"),
        ((*SMOKE, "~optim"), "expected KEY=VALUE"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        read_plan(arguments)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"space": {"optim.lr": {"type": "float", "low": 0.1, "high": 1}}}, "optim.lr"),
        ({"space": {"data.batch_size": {"type": "int", "low": 0, "high": 4}}}, "batch_size is 0"),
        ({"space": {"seed": {"type": "real"}}}, "sweep.space has seed: .*type: float"),
        ({"space": {"seed": {"type": "int", "low": 3, "high": 1}}}, "sweep.space has seed"),
        ({"overrides": ("callbacks.views=0",)}, "needs validation views"),
        ({"overrides": ("trainer.devices=2",)}, "each trial trains on one device"),
        ({"metric": "val/joint_m"}, r"monitor\.name is 'val/joint_m'; did you mean val/joint_mm\?"),
        ({"sampler": {"n_startups": 3}}, "sweep.sampler is .*n_startups"),
        ({"pruner": {"percentile": 500.0}}, "sweep.pruner is .*percentile"),
    ],
)  # fmt: skip
def test_settings_that_would_fail_in_the_middle_are_refused_at_once(changes, said, tmp_path):
    plan = make_plan(tmp_path, **changes)
    with pytest.raises(ValueError, match=said):
        check_plan_by_trying(plan, distributions(plan))


@pytest.mark.parametrize("name", ["khor_lr", "bev_hybrik_lr", "g2dr_lr"])
def test_presets_search_keys_that_trainings_have_around_their_values(name):
    plan = read_plan([f"sweep={name}"])
    check_space(plan)
    config = compose_config([f"experiment={plan.experiment}"])
    assert config.callbacks.evaluator.monitor.name == plan.metric
    assert config.callbacks.evaluator.monitor.higher_is_better == plan.higher_is_better
    for key, entry in plan.space.items():
        assert entry["low"] < OmegaConf.select(config, key) < entry["high"]
    assert plan_identity(plan)["sweep.sampler.multivariate"] is True


def test_overrides_become_groups_and_nested_values():
    groups, values = overlay(["optim=adamw", "+data.x=[1,2]", "backbone@model.net.backbone=lite", "seed=3"])
    assert groups == {"optim": "adamw", "backbone@model.net.backbone": "lite"}
    assert values == {"data": {"x": [1, 2]}, "seed": 3}
