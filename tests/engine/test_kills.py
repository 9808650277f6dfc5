"""SIGKILL at file operations and at random moments, and signals, as train.py meets them."""

import pytest
from commands import succeed


@pytest.mark.slow
def test_killed_trainings_end_as_if_they_had_not_been(tree):
    said = succeed(
        "tools/trials/kills.py", "--root", str(tree), "--operations", "2", "--moments", "1",
        "--signals", "SIGTERM",
    )  # fmt: skip
    assert "4 trials, 0 went wrong" in said
