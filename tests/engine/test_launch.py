"""`rhobin launch`: jobs by submitit, on this machine and on a pretended SLURM, preempted and requeued."""

import os
import re
import shlex
import signal
import time

import pytest
from fake_slurm import install
from whole_run import OVERRIDES, STEPS, assert_same_run

from rhobin.__main__ import main
from rhobin.engine.launch import check_folders, jobs_of, submit
from rhobin.engine.search.plan import read_plan
from rhobin.engine.search.study import open_study


def wait_for(condition, seconds=150):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_a_command_becomes_jobs_by_number_and_by_value():
    shards = jobs_of(["rhobin", "synth-objects", "--shard", "{i}/{n}"], jobs=3)
    assert [job.command[-1] for job in shards] == ["1/3", "2/3", "3/3"]
    members = jobs_of(["train.py", "resume=none", "x={i}"], each=["seed=0,1", "optim=adam,muon"])
    assert [job.command for job in members] == [
        ("train.py", f"x={i}", "resume=auto", f"seed={seed}", f"optim={optim}")
        for i, (seed, optim) in enumerate([(0, "adam"), (0, "muon"), (1, "adam"), (1, "muon")], 1)
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "expected a command that begins with train.py, eval.py or rhobin, found nothing"),
        (["--", "rm", "-r", "x"], "found rm -r x"),
        (["--each", "seed", "--", "train.py"], "--each seed: expected KEY=VALUE,VALUE"),
        (["--set", "colour=red", "--", "rhobin", "runs"], "submitit does not take a setting: .*colour"),
        (["--on", "slurm", "--", "rhobin", "runs"], "srun"),
        (["--nodes", "2", "--", "rhobin", "runs"], "--nodes is for --on slurm"),
    ],
)
def test_what_cannot_be_launched_is_told(arguments, told, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["launch", "--folder", str(tmp_path / "jobs"), *arguments]) == 1
    assert re.search(told, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "command", "told"),
    [
        (("--each", "seed=0,1"), (), r"jobs 1 and 2 would both train in runs/khor_smoke.*run_dir=runs/"),
        (("--jobs", "2"), ("run_dir=runs/${seed}",), "jobs 1 and 2 would both train in runs/0"),
        (
            (),
            ("optim.optimizer.lrr=1",),
            r"train.py .*lrr=1.*: there is no setting optim\.optimizer\.lrr; did you mean",
        ),
    ],
)
def test_trainings_that_could_not_run_are_told_before_a_job_is_submitted(
    options, command, told, tmp_path, capsys
):
    words = ("--folder", str(tmp_path), *options, "--", "train.py", "experiment=khor/smoke", *command)
    assert main(["launch", *words]) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_trainings_in_folders_of_their_own_may_be_submitted():
    check_folders(jobs_of(["train.py", "experiment=khor/smoke", "run_dir=runs/a_${seed}"], 1, ["seed=0,1"]))
    members = ["train.py", "experiment=khor/synthetic_ensemble", "hydra.mode=RUN"]
    check_folders(jobs_of(members, 1, ["seed=0,1,2"]))
    check_folders(jobs_of(["train.py", "-m", "experiment=khor/smoke"], 2) + jobs_of(["rhobin", "runs"], 2))


def test_local_jobs_end_with_their_status(tmp_path, capfd):
    options = ("--folder", str(tmp_path), "--jobs", "2")
    command = ["launch", *options, "--", "rhobin", "nothing{i}"]
    assert main(command) == 1
    said = capfd.readouterr()
    assert "0 of 2 jobs succeeded" in said.out
    assert "rhobin nothing2 ended with status 2" in said.err


def test_a_preempted_training_on_slurm_goes_on_and_ends_as_if_left_alone(
    tree, reference, tmp_path, monkeypatch
):
    """A training and a list of runs as an array; the training is preempted in the middle."""
    slurm = install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{slurm}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    common = ("data.workers=0", "callbacks.evaluator.samples=100", "threads=1")
    command = ["train.py", "experiment=khor/smoke", f"data.root={tree}", *common, *OVERRIDES]
    jobs = jobs_of([*command, f"run_dir={tmp_path}/run"]) + jobs_of(["rhobin", "runs", str(reference)])
    submitted = submit(jobs, "slurm", tmp_path / "jobs", {"timeout_min": 600})
    assert [job.job_id.partition("_")[2] for job in submitted] == ["0", "1"]
    first, second = submitted
    wait_for(lambda: (tmp_path / "run" / "checkpoints" / "last.ckpt").exists())
    os.kill(int((slurm / f"{first.job_id}.pid").read_text()), signal.SIGUSR2)
    for job, known in zip(submitted, jobs, strict=True):
        wait_for(job.paths.result_pickle.exists)
        assert job.result() == shlex.join(known.command)
    assert "Requeued job" in first.stdout() + first.stderr()
    assert_same_run(tmp_path / "run", reference)
    assert f"{STEPS}/{STEPS}" in second.stdout()


def test_a_sweep_on_slurm_survives_preemption_and_has_every_trial_once(tree, tmp_path, monkeypatch):
    """Two jobs work on one study; one is preempted in the middle of a trial."""
    slurm, folder, count = install(tmp_path / "slurm"), tmp_path / "sweep", 3
    monkeypatch.setenv("PATH", f"{slurm}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = [
        "sweep=khor_lr", "sweep.experiment=khor/smoke", f"sweep.folder={folder}", f"sweep.trials={count}",
        f"sweep.sampler.n_startup_trials={count}", f"data.root={tree}", "data.workers=0", "threads=1",
        "trainer.max_steps=12", "callbacks.evaluator.every_n_steps=6", "callbacks.evaluator.samples=50",
        "callbacks.checkpoints.every_n_steps=1", "callbacks.views=2",
    ]  # fmt: skip
    jobs = jobs_of(["rhobin", "sweep", *words], jobs=2)
    first, second = submit(jobs, "slurm", tmp_path / "jobs", {"timeout_min": 600})
    wait_for(lambda: re.search(r"^trial_\d+:", first.stdout() or "", re.MULTILINE))
    trial = re.search(r"^trial_\d+", first.stdout(), re.MULTILINE)[0]
    wait_for((folder / trial / "checkpoints" / "last.ckpt").exists)
    os.kill(int((slurm / f"{first.job_id}.pid").read_text()), signal.SIGUSR2)
    for job in (first, second):
        wait_for(job.paths.result_pickle.exists)
        job.result()
    assert "Requeued job" in first.stdout() + first.stderr()
    trials = open_study(read_plan(words)).trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * count
    assert len({trial.params["optim.optimizer.lr"] for trial in trials}) == count
    assert sorted(path.name for path in folder.glob("trial_*")) == [f"trial_{n:03d}" for n in range(count)]
