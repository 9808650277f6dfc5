"""The demo in small: data, a few training steps, scores and the report, all through the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT, call, succeed


def fresh(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a Python that has imported nothing, as everybody's is."""
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("synthetic") / "behave"
    size = ("--size", "tiny", "--frames", "2", "--width", "160")
    succeed("-m", "rhobin", "synth", "--out", str(root), *size, "--workers", "1")
    return root


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "smoke"
    succeed("train.py", "experiment=khor/smoke", f"data.root={data}", f"run_dir={run_dir}", "data.workers=0")
    done = fresh("eval.py", f"run={run_dir}", "protocol.samples=500")
    assert done.returncode == 0, done.stdout + done.stderr
    return run_dir


def test_the_demo_leaves_scores_report_and_results(run):
    rows = json.loads((run / "scores.json").read_text())["tracks"]["joint"]
    assert list(rows) == ["constant", "constant_per_object", "khor", "perfect"]
    for row in rows.values():
        assert row["frames"] > 0
        assert row["protocol"]
    for score in ("SMPL", "Object"):
        least = min(rows[name]["scores"][score] for name in ("constant", "khor"))
        assert rows["perfect"]["scores"][score] < least
    assert (run / "report.html").stat().st_size > 100_000
    assert (run / "results.pkl").is_file()


def times(run):
    """When each file of a run was written, but for the lock that a training holds."""
    return {p: p.stat().st_mtime_ns for p in run.rglob("*") if p.is_file() and p.name != ".lock"}


def test_training_and_evaluating_again_change_nothing(run, data):
    before = times(run)
    again = succeed(
        "train.py",
        "experiment=khor/smoke",
        f"data.root={data}",
        f"run_dir={run}",
        "data.workers=0",
        "resume=auto",
    )
    assert "nothing to do" in again
    assert "up to date" in succeed("eval.py", f"run={run}", "protocol.samples=500")
    assert times(run) == before


def test_a_taken_run_folder_is_refused(run, data):
    done = call("train.py", "experiment=khor/smoke", f"data.root={data}", f"run_dir={run}")
    assert done.returncode != 0
    assert "resume=auto" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_experiments_checkpoint_is_refused(run, data, tmp_path):
    done = call(
        "train.py", "experiment=khor/smoke", f"data.root={data}", f"run_dir={tmp_path / 'other'}",
        f"resume={run / 'checkpoints' / 'last.ckpt'}", "optim.optimizer.lr=1e-4",
    )  # fmt: skip
    assert done.returncode != 0
    assert "optim.optimizer.lr: 0.004 -> 0.0001" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_dataset_says_what_to_do(tmp_path):
    done = fresh(
        "train.py", "experiment=khor/smoke", f"data.root={tmp_path / 'none'}", f"run_dir={tmp_path / 'run'}"
    )
    assert done.returncode == 1
    assert str(tmp_path / "none") in done.stderr
    assert "rhobin synth" in done.stderr
    assert "Traceback" not in done.stderr
