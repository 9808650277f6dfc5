"""The torchmetrics give one process's numbers from two, and the pure functions' from batches."""

from __future__ import annotations

import json

import numpy as np
import pytest
import two_processes
from commands import start

from rhobin.metrics.human import human_errors
from rhobin.metrics.human_track import summarise_human
from rhobin.metrics.protocol import HUMAN_MODES
from rhobin.metrics.shells import HumanMetric


def test_two_processes_give_the_numbers_of_one(tmp_path):
    started = []
    for rank in range(2):
        (output := tmp_path / str(rank)).mkdir()
        started.append(start(two_processes.__file__, str(rank), "2", str(tmp_path), output=output))
    for process in started:
        process.join(240)
    assert [process.exitcode for process in started] == [0, 0]
    alone = two_processes.validate(np.arange(two_processes.FRAMES))
    assert set(alone) == {"human", "object", "joint"}
    for rank in range(2):
        together = json.loads((tmp_path / f"scores-{rank}.json").read_text())
        for track, scores in alone.items():
            assert together[track] == pytest.approx(scores, rel=1e-12)
    half = two_processes.validate(np.arange(0, two_processes.FRAMES, 2))
    assert half["human"]["MPJPE"] != pytest.approx(alone["human"]["MPJPE"])


def test_batches_add_up_to_the_pure_functions():
    metric, protocol = HumanMetric(), HUMAN_MODES["official"]
    rng = np.random.default_rng(0)
    joints, rotations = rng.normal(0, 0.05, (2, 30, 24, 3)), np.tile(np.eye(3), (30, 24, 1, 1))
    for part in np.array_split(np.arange(30), 4):
        metric.update(joints[0][part], rotations[part], joints[1][part], rotations[part])
    whole = summarise_human(human_errors(joints[0], rotations, joints[1], rotations), protocol)
    assert 0 < whole["PCK"] < 100
    assert metric.compute() == pytest.approx(whole, rel=1e-12)
