"""The torchmetrics give one process's numbers from two."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import two_processes

SCRIPT = Path(two_processes.__file__)


def test_two_processes_give_the_numbers_of_one(tmp_path):
    started = [
        subprocess.Popen([sys.executable, str(SCRIPT), str(rank), "2", str(tmp_path)]) for rank in range(2)
    ]
    assert [process.wait(timeout=240) for process in started] == [0, 0]
    alone = two_processes.validate(np.arange(two_processes.FRAMES))
    assert set(alone) == {"human", "object", "joint"}
    for rank in range(2):
        together = json.loads((tmp_path / f"scores-{rank}.json").read_text())
        for track, scores in alone.items():
            assert together[track] == pytest.approx(scores, rel=1e-12)
    half = two_processes.validate(np.arange(0, two_processes.FRAMES, 2))
    assert half["human"]["MPJPE"] != pytest.approx(alone["human"]["MPJPE"])
