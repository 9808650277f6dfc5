import csv

from rhobin.engine.log import CsvLog


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_columns_grow_and_old_rows_stay(tmp_path):
    log = CsvLog(tmp_path / "m.csv")
    log.log_metrics({"epoch": 0, "a": 1.5}, step=1)
    log.log_metrics({"epoch": 0, "b": 2.0}, step=2)
    log.log_metrics({"epoch": 1, "a": 0.25, "b": 4.0}, step=3)
    assert read(log.path) == [
        {"step": "1", "epoch": "0", "a": "1.5", "b": ""},
        {"step": "2", "epoch": "0", "a": "", "b": "2"},
        {"step": "3", "epoch": "1", "a": "0.25", "b": "4"},
    ]


def test_a_reopened_log_goes_on(tmp_path):
    CsvLog(tmp_path / "m.csv").log_metrics({"a": 1.0}, step=1)
    again = CsvLog(tmp_path / "m.csv")
    again.log_metrics({"a": 2.0}, step=2)
    assert [row["step"] for row in read(again.path)] == ["1", "2"]
    assert again.rows == 2


def test_cut_then_go_on_equals_never_having_run_ahead(tmp_path):
    logs = [CsvLog(tmp_path / name) for name in ("whole.csv", "cut.csv")]
    for log in logs:
        for step in range(5):
            log.log_metrics({"a": float(step)}, step=step)
    logs[1].cut(3, step=4)
    for step in (3, 4):
        logs[1].log_metrics({"a": float(step)}, step=step)
    assert logs[0].path.read_bytes() == logs[1].path.read_bytes()


def test_a_row_torn_by_a_kill_is_cut_away(tmp_path):
    log = CsvLog(tmp_path / "m.csv")
    for step in range(3):
        log.log_metrics({"a": 1.0}, step=step)
    log.path.write_bytes(log.path.read_bytes()[:-3])
    again = CsvLog(log.path)
    again.cut(2, step=2)
    again.log_metrics({"a": 1.0}, step=2)
    assert [row["a"] for row in read(log.path)] == ["1", "1", "1"]
