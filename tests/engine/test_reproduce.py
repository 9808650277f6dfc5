"""`rhobin reproduce`: its plans, and that a plan killed anywhere goes on to the same table."""

import signal
import time

import pytest
import yaml
from commands import call, start
from hydra import compose, initialize_config_dir

from rhobin.__main__ import main
from rhobin.engine.experiments import config_folder, experiments
from rhobin.engine.reference import FOLDER, read_reference
from rhobin.engine.reproduce import PLANS, make_plan
from rhobin.engine.reproduced import our_rows
from rhobin.engine.run_steps import StepError, run_command, run_steps
from rhobin.metrics.tracks import TRACKS
from rhobin.terminal import plain_console

TABLES = yaml.safe_load((config_folder() / PLANS).read_text())
REFERENCES = sorted((config_folder() / FOLDER).glob("*.yaml"))
PRESETS = {experiment.name for experiment in experiments(config_folder())}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("size", ["smoke", "paper"])
def test_every_table_has_a_plan_of_commands_that_exist(table, size, tmp_path):
    plan = make_plan(table, size, tmp_path, ["threads=1"])
    scripts = {step.command[0] for step in plan.steps}
    assert scripts <= {"train.py", "eval.py", "rhobin", "benchmarks/latency.py"}
    trained = [step.command for step in plan.steps if step.command[0] == "train.py"]
    assert all({"threads=1", "resume=auto"} <= set(command) for command in trained)
    assert len({word for command in trained for word in command if word.startswith("run_dir=")}) == len(
        trained
    )
    assert {row["experiment"] for row in TABLES[table][size].values()} <= PRESETS


def test_the_ensemble_of_the_paper_has_its_26_members(tmp_path):
    plan = make_plan("table3", "paper", tmp_path)
    assert sum("paper_ensemble" in str(step) and step.command[0] == "train.py" for step in plan.steps) == 26
    with pytest.raises(ValueError, match="no size of table3 named huge; expected one of smoke, small"):
        make_plan("table3", "huge", tmp_path)


def test_dry_run_prints_commands_and_does_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rhobin.engine.run_steps.run_command", None)
    assert main(["reproduce", "table4", "size=smoke", f"out={tmp_path}", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "python train.py experiment=khor/smoke" in said
    assert not [*tmp_path.iterdir()]


def test_a_smoke_table_killed_at_five_places_is_the_one_of_a_plan_left_alone(tmp_path):
    """Killed by SIGKILL in the making of data, twice in the training, and twice in the scoring."""
    overrides = (
        f"data.root={tmp_path / 'data'}", "threads=1", "trainer.max_steps=12",
        "callbacks.evaluator.samples=100",
    )  # fmt: skip
    plans = {name: make_plan("table4", "smoke", tmp_path / name, overrides) for name in ("killed", "alone")}
    run = tmp_path / "killed" / "khor_smoke"
    kills = [
        ("rhobin", tmp_path / "data" / "calibs"),
        ("train.py", run / "checkpoints" / "last.ckpt"),
        ("train.py", run / "checkpoints" / "best.ckpt"),
        ("eval.py", None),
        ("eval.py", run / "predictions.npz"),
    ]

    def run_or_kill(command):
        words = command
        if command[0] == "rhobin":
            words = ("-m", *command, "--width", "160", "--workers", "1")
        if kills and command[0] == kills[0][0]:
            kill_when(words, kills.pop(0)[1], tmp_path)
            return 137
        return call(*words).returncode

    for _ in range(len(kills)):
        with pytest.raises(StepError, match="ended with status 137; give the same command to go on"):
            run_steps(plans["killed"].steps, plain_console(quiet=True), run_or_kill)
    for plan in plans.values():
        run_steps(plan.steps, plain_console(quiet=True), run_or_kill)
    (paper, [ours]), (_, [theirs]) = (our_rows(plan) for plan in plans.values())
    assert ours.values == theirs.values
    assert len(ours.values) == len(paper.columns)
    assert ours.kind == "generated data"


def kill_when(command, file, place):
    """Start a command and kill it when a file is there, or at once."""
    process = start(*command, output=place)
    while file and not file.exists() and process.is_alive():
        time.sleep(0.005)
    process.kill()
    process.join()


def test_a_signal_is_passed_on_and_the_status_is_the_child_s(tmp_path, monkeypatch):
    script = tmp_path / "train.py"
    script.write_text("import os, signal, time\nos.kill(os.getppid(), signal.SIGTERM)\ntime.sleep(60)\n")
    monkeypatch.setattr("rhobin.engine.commands.config_folder", lambda: tmp_path / "configs")
    before = signal.getsignal(signal.SIGTERM)
    assert run_command(["train.py"]) == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    script.write_text("import sys\nsys.exit(3)\n")
    assert run_command(["train.py"]) == 3


@pytest.mark.parametrize(
    "path", sorted((config_folder() / FOLDER).glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_reference_is_of_a_preset_as_it_is_now(path):
    found = read_reference(path)
    method = next(name for name in PRESETS if name.replace("/", "_") == path.stem)
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", [f"experiment={method}"])
    assert (found.steps, found.batch_size) == (config.trainer.max_steps, config.data.batch_size)
    assert config.callbacks.evaluator.monitor.name in found.curves
    preset = config_folder() / "experiment" / f"{method}.yaml"
    assert f"--size {found.data['size']}\n" in preset.read_text()
    for track, scores in found.scores.items():
        assert set(scores) <= {column.name for column in TRACKS[track].columns}
