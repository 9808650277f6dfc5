"""`rhobin runs` and `rhobin diff`: what run folders say, also of killed and damaged ones."""

import json
import shutil

import pytest

from rhobin.__main__ import main
from rhobin.cli.runs import cells
from rhobin.engine.lock import locked
from rhobin.engine.monitor import Monitor
from rhobin.engine.run_diff import run_diff
from rhobin.engine.runs import RunState, run_state, run_states


@pytest.fixture
def run(reference, tmp_path):
    return shutil.copytree(reference, tmp_path / "runs" / "first")


def change(run, **facts):
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(info | facts))


def test_a_finished_run_says_steps_best_score_and_time(run):
    state = run_state(run)
    assert (state.state, state.step, state.total, state.holder) == ("finished", 14, 14, None)
    rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    place = rows[0].index(state.monitor.name)
    assert state.best == min(float(row[place]) for row in rows[1:] if row[place])
    assert (state.tests, state.seconds_left) == ((), None)


@pytest.mark.parametrize("noted", ["running", "interrupted"])
def test_a_run_whose_process_is_gone_was_killed_and_one_that_is_held_goes_on(run, noted):
    change(run, state=noted, steps=0, total_steps=28, seconds=70.0, started="2020-01-01T00:00:00+0000")
    assert run_state(run).state == "killed"
    with locked(run):
        state = run_state(run)
    assert state.state == "running"
    assert "process" in state.holder
    assert state.seconds > 1e8, "the session under way counts"
    assert state.seconds_left == pytest.approx(state.seconds / 14 * 14)


def test_looking_at_a_run_does_not_keep_it_from_starting(run):
    run_state(run)
    with locked(run):
        pass


def test_runs_are_found_at_any_depth_and_listed_with_words_for_damage(run, capsys):
    second = shutil.copytree(run, run.parent / "sweep" / "lr=0.1")
    (second / "config.yaml").write_text("a: [")
    (second / "metrics.csv").write_bytes(b"\xff\x00")
    (second / "scores.json").write_text("{")
    (run / "checkpoints" / "no_run").mkdir()
    shutil.copy(run / "run.json", run / "checkpoints" / "no_run")
    assert [state.folder for state in run_states([run.parent])] == [run, second]
    assert main(["runs", str(run.parent)]) == 0
    assert "finished" in capsys.readouterr().out
    assert main(["runs", str(run.parent / "nowhere")]) == 1
    assert "nowhere is no folder" in capsys.readouterr().err


def test_a_pruned_run_has_a_short_row(tmp_path):
    reason = "pruned: val/joint_mm is 452.5 at step 4, not among the best 50 % of the trials before"
    monitor = Monitor("val/joint_mm", higher_is_better=False)
    row = cells(RunState(tmp_path, reason, 4, 12, monitor, 452.5, None, (), 1.0, None))
    assert row[1:4] == ("pruned", "4/12", "joint_mm 452.5")


def test_a_diff_names_what_differs_and_nothing_else(run, tmp_path, capsys):
    other = shutil.copytree(run, run.parent / "second")
    same = run_diff((run, other))
    assert same.config == same.free == same.data == same.environment == {}
    assert all(point.values[0] == point.values[1] for point in same.curves)
    config = (other / "config.yaml").read_text()
    assert "gradient_clip_val: 1.0" in config
    config = config.replace("gradient_clip_val: 1.0", "gradient_clip_val: 2.5")
    (other / "config.yaml").write_text(config.replace("threads: null", "threads: 3"))
    change(other, threads=[9], data_hash="other", seconds=5.0)
    log = (other / "metrics.csv").read_text().splitlines()
    (other / "metrics.csv").write_text("\n".join(log[:-2]) + "\n")
    found = run_diff((run, other))
    assert found.config == {"trainer.gradient_clip_val": ("1.0", "2.5")}
    assert found.free == {"threads": ("null", "3")}
    assert (set(found.data), set(found.environment)) == ({"data_hash"}, {"threads"})
    assert max(point.step for point in found.curves) < 14, "only steps that both logged"
    assert found.curves[0].best
    assert "is not scored; run: python eval.py" in found.unscored[""]
    page = tmp_path / "page.html"
    assert main(["diff", str(run), str(other), "--out", str(page)]) == 0
    assert "trainer.gradient_clip_val" in capsys.readouterr().out
    text = page.read_text()
    assert "<svg" in text
    assert "gradient_clip_val" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_a_diff_of_something_else_is_refused_by_name(run, tmp_path, capsys):
    assert main(["diff", str(run), str(tmp_path)]) == 1
    assert "is no run folder: it has no config.yaml" in capsys.readouterr().err
    (run / "config.yaml").write_text("- a")
    assert main(["diff", str(run), str(run)]) == 1
    assert "config.yaml is damaged: expected keys and values, found list" in capsys.readouterr().err
