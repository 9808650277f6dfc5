import os
import time

import pytest
from commands import start

from rhobin.pool import THREAD_SETTINGS, finished, task_pool


def test_tasks_run_here_without_workers():
    with task_pool(0) as submit:
        assert list(finished(submit(os.getpid) for _ in range(2))) == [os.getpid()] * 2


def test_workers_are_single_threaded_and_a_dead_one_is_explained(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    seen = []
    with task_pool(1) as submit:
        seen += finished(submit(os.getenv, name) for name in THREAD_SETTINGS)
        with pytest.raises(ChildProcessError, match="fewer --workers"):
            list(finished([submit(os._exit, 3)]))
    assert seen == ["1"] * len(THREAD_SETTINGS)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


PARENT = """
import os, time
from rhobin.pool import task_pool

if __name__ == "__main__":
    with task_pool(1) as submit:
        print(submit(os.getpid).result(), flush=True)
        submit(time.sleep, 600).result()
"""


def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = start(str(script), output=tmp_path)
    said = tmp_path / "stdout"
    while parent.is_alive() and not (said.is_file() and said.read_text().endswith("\n")):
        time.sleep(0.05)
    child = int(said.read_text())
    parent.kill()
    parent.join()
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not alive(child)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
