"""Bits depend on the number of CPU threads: a run records it, and says where it changes."""

import pytest
import torch
from whole_run import OVERRIDES, STEPS

from rhobin.engine.fit import fit
from rhobin.engine.runinfo import read_run
from rhobin.engine.threads import threads_used, warning_of_threads


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_another_number_of_threads_is_said_and_kept(stopped_at, smoke, threads, capsys):
    for number, recorded in ((threads, [threads]), (threads + 1, [threads, threads + 1])):
        run_dir = stopped_at(STEPS - 1)
        fit(smoke(run_dir, *OVERRIDES, "resume=auto", f"threads={number}"))
        said = f"goes on with {number} CPU threads after {threads}" in capsys.readouterr().out
        assert said == (number != threads)
        assert read_run(run_dir)["threads"] == recorded


def test_only_changes_on_a_cpu_are_said(threads):
    assert threads_used([]) == [threads]
    assert threads_used([threads + 3, threads]) == [threads + 3, threads]
    assert not warning_of_threads([], [threads], "cpu")
    assert not warning_of_threads([8], [8], "cpu")
    assert "threads=8 keeps the bits" in warning_of_threads([4, 8], [4, 8, 2], "cpu")


def test_a_gpu_does_not_ask(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert not warning_of_threads([8], [8, 2], "auto")
    assert warning_of_threads([8], [8, 2], "cpu")
