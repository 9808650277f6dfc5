"""SIGKILL at file operations and at random moments, and signals, as train.py meets them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_killed_trainings_end_as_if_they_had_not_been(tree):
    done = subprocess.run(
        [sys.executable, "tools/trials/kills.py", "--root", str(tree), "--operations", "2", "--moments", "1",
         "--signals", "SIGTERM"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 trials, 0 went wrong" in done.stdout
