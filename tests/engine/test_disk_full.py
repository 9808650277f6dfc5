"""A disk that takes no more: a message that names the file, nothing lost, and an exact end after that."""

import resource
from contextlib import contextmanager

import pytest
from whole_run import OVERRIDES, assert_same_run

from rhobin.engine.fit import fit
from rhobin.engine.log import CsvLog, read_log
from rhobin.engine.runinfo import read_run


@contextmanager
def no_file_longer_than(size):
    """Writing past `size` bytes fails, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_the_run_goes_on_later(smoke, reference, stopped_at, capsys):
    run = stopped_at(5)
    last = run / "checkpoints" / "last.ckpt"
    newest = last.read_bytes()
    with pytest.raises(OSError, match=rf"File too large: '{last}'"), no_file_longer_than(100_000):
        fit(smoke(run, *OVERRIDES, "resume=auto"))
    kept = [path.read_bytes() for path in (run / "checkpoints").iterdir()]
    assert newest in kept, "as previous.ckpt"
    assert "failed: File too large; go on with" in capsys.readouterr().out
    fit(smoke(run, *OVERRIDES, "resume=auto"))
    assert_same_run(run, reference)
    assert read_run(run)["state"] == "finished"


def test_a_log_without_room_is_named_and_keeps_its_rows(tmp_path):
    log = CsvLog(tmp_path / "metrics.csv")
    log.log_metrics({"epoch": 0, "loss": 1.5}, step=1)
    with (
        no_file_longer_than(log.path.stat().st_size + 3),
        pytest.raises(OSError, match=f"File too large: '{log.path}'"),
    ):
        log.log_metrics({"epoch": 0, "loss": 2.5}, step=2)
    assert read_log(log.path) == (["step", "epoch", "loss"], [["1", "0", "1.5"]])


def test_a_fresh_run_that_cannot_write_leaves_no_folder(smoke, tmp_path):
    with pytest.raises(OSError, match="File too large: '"), no_file_longer_than(10):
        fit(smoke(tmp_path / "run", *OVERRIDES))
    assert not (tmp_path / "run").exists()
