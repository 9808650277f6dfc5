"""A run that was stopped and goes on ends where a run that was never stopped does, bit for bit."""

import csv
import os
import shutil

import pytest
import torch
from whole_run import OVERRIDES, assert_same_run, assert_same_weights, saved

from rhobin.engine.fit import fit
from rhobin.engine.resume import ResumeError, find_start
from rhobin.engine.runinfo import read_run


@pytest.mark.parametrize("step", [1, 5, 6, 7, 11, 12, 13])
def test_every_step_can_be_resumed(step, smoke, reference, stopped_at, tmp_path):
    run_dir = stopped_at(step)
    assert saved(run_dir)["global_step"] == step
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)


def test_a_log_that_ran_ahead_of_the_checkpoint_is_cut(smoke, reference, stopped_at, tmp_path):
    run_dir = stopped_at(5)
    shutil.copy(stopped_at(12) / "metrics.csv", run_dir)
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)


def test_a_broken_newest_checkpoint_is_passed_over(smoke, reference, stopped_at, tmp_path, capsys):
    run_dir = stopped_at(9)
    last = run_dir / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)
    shown = "".join(capsys.readouterr().out.split())
    assert "last.ckpt:notreadable" in shown
    assert "previous.ckpt,step8" in shown


def test_auto_takes_the_furthest(stopped_at):
    run_dir = stopped_at(9)
    identity = saved(run_dir)["rhobin"]["identity"]
    assert find_start(run_dir, "auto", identity).step == 9
    shutil.copy(run_dir / "checkpoints" / "previous.ckpt", run_dir / "checkpoints" / "z_newest_by_date.ckpt")
    assert find_start(run_dir, "auto", identity).checkpoint.name == "last.ckpt"


def test_a_finished_run_is_left_alone(smoke, reference, capsys):
    before = (reference / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    fit(smoke(reference, *OVERRIDES, "resume=auto"))
    assert "is finished" in capsys.readouterr().out
    assert (reference / "checkpoints" / "last.ckpt").stat().st_mtime_ns == before


def test_a_finished_run_can_be_extended(smoke, reference, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(reference, run_dir)
    steps = read_run(run_dir)["steps"]
    longer = [f"trainer.max_steps={steps + 2}", "resume=auto"]
    with pytest.raises(ResumeError, match=f"trainer.max_steps: {steps} -> {steps + 2}"):
        fit(smoke(run_dir, *OVERRIDES, *longer))
    fit(smoke(run_dir, *OVERRIDES, *longer, "allow_changes=true"))
    assert (read_run(run_dir)["steps"], read_run(run_dir)["state"]) == (steps + 2, "finished")


def test_settings_that_a_finished_run_accepted_are_not_asked_for_again(smoke, reference, tmp_path, capsys):
    run_dir = tmp_path / "run"
    shutil.copytree(reference, run_dir)
    changed = (*OVERRIDES, "model.adaptive=true", "resume=auto")
    fit(smoke(run_dir, *changed, "allow_changes=true"))
    capsys.readouterr()
    fit(smoke(run_dir, *changed))
    assert "is finished" in " ".join(capsys.readouterr().out.split())


def test_a_new_learning_rate_is_applied(smoke, reference, stopped_at, tmp_path):
    """Announced, logged, and followed: at a hundredth of the rate the weights stay near the checkpoint's."""
    run_dir, changes = stopped_at(7), ("optim.optimizer.lr=4e-5", "allow_changes=true")
    before = saved(run_dir)["state_dict"]
    fit(smoke(run_dir, *OVERRIDES, "resume=auto", *changes))
    rates = [
        {
            int(row["step"]): float(row["lr"])
            for row in csv.DictReader((run / "metrics.csv").open())
            if row["lr"]
        }
        for run in (reference, run_dir)
    ]
    later = [step for step in rates[0] if step > 7]
    assert later
    assert all(rates[1][step] == pytest.approx(0.01 * rates[0][step], rel=1e-6) for step in later)
    moved = [
        max(
            (saved(run)["state_dict"][k] - v).abs().max().item()
            for k, v in before.items()
            if k.endswith("weight")
        )
        for run in (reference, run_dir)
    ]
    assert moved[1] < 0.1 * moved[0]


def test_a_taken_folder_is_refused(smoke, reference):
    with pytest.raises(ResumeError, match="resume=auto"):
        fit(smoke(reference, *OVERRIDES))


def test_another_experiment_s_checkpoint_is_refused_with_the_difference(smoke, reference, tmp_path):
    last = reference / "checkpoints" / "last.ckpt"
    with pytest.raises(ResumeError) as error:
        fit(
            smoke(
                tmp_path / "run", *OVERRIDES, "optim.optimizer.lr=0.5", "data.batch_size=2", f"resume={last}"
            )
        )
    assert "optim.optimizer.lr: 0.004 -> 0.5" in str(error.value)
    assert "data.batch_size: 4 -> 2" in str(error.value)
    assert "run_dir:" not in str(error.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_accepted_changes_are_told(reference):
    last = reference / "checkpoints" / "last.ckpt"
    identity = torch.load(last, weights_only=True)["rhobin"]["identity"] | {"seed": 5}
    start = find_start(reference, str(last), identity, allow_changes=True)
    assert start.checkpoint == last
    assert start.messages == ("changed since the checkpoint: seed: 0 -> 5",)


def test_a_path_goes_on_from_that_file_in_a_new_folder(smoke, reference, stopped_at, tmp_path):
    run_dir = tmp_path / "run"
    start = stopped_at(7) / "checkpoints" / "last.ckpt"
    fit(smoke(run_dir, *OVERRIDES, f"resume={start}"))
    assert_same_weights(saved(run_dir)["state_dict"], saved(reference)["state_dict"])


def test_wrong_resume_values_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="none, auto, afresh or a file's path"):
        find_start(tmp_path, "yes", {})
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(ResumeError, match="not readable"):
        find_start(tmp_path, str(tmp_path / "text.ckpt"), {})
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    with pytest.raises(ResumeError, match="it lacks global_step"):
        find_start(tmp_path, str(tmp_path / "foreign.ckpt"), {})


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"state_dict": Trap(), "global_step": 1, "epoch": 0, "rhobin": {}}, tmp_path / "trap.ckpt")
    with pytest.raises(ResumeError):
        find_start(tmp_path, str(tmp_path / "trap.ckpt"), {})
    assert not (tmp_path / "sprung").exists()
