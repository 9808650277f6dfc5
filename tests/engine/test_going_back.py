"""Going back to an older checkpoint, and damaged or foreign files in a run folder."""

import csv
import shutil
from pathlib import Path

import pytest
from whole_run import OVERRIDES, assert_same_run, assert_same_weights, saved

from rhobin.engine.fit import fit
from rhobin.engine.resume import ResumeError, find_start, make_way
from rhobin.engine.runinfo import read_run
from rhobin.engine.saved import read_checkpoint


def steps_of(run_dir):
    with (run_dir / "metrics.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def identity_of(path):
    return read_checkpoint(path)["rhobin"]["identity"]


def test_the_newest_branch_is_gone_on_with(smoke, reference, stopped_at):
    """Back from step 11 to a copy of step 5, stopped again after it: auto goes on from there, not from 11."""
    run_dir = stopped_at(11)
    older = stopped_at(5) / "checkpoints" / "last.ckpt"
    start = find_start(run_dir, str(older), identity_of(older))
    make_way(run_dir, start)
    told = "\n".join(start.messages)
    assert f"{run_dir / 'checkpoints' / 'last.ckpt'}, step 11, is ahead" in told
    names = {path.name for path in (run_dir / "checkpoints" / "aside").iterdir()}
    assert {"step11_last.ckpt", "step10_previous.ckpt"} <= names
    again = find_start(run_dir, "auto", identity_of(older))
    assert (again.checkpoint.name, again.step) == ("start.ckpt", 5)
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)


def test_going_back_leaves_a_best_checkpoint_at_the_end(smoke, reference, stopped_at):
    run_dir = stopped_at(11)
    older = stopped_at(5) / "checkpoints" / "last.ckpt"
    fit(smoke(run_dir, *OVERRIDES, f"resume={older}"))
    assert_same_run(run_dir, reference)


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_a_kill_while_files_make_way_leaves_a_start(moves, stopped_at, monkeypatch):
    run_dir, left = stopped_at(11), [moves]
    older = stopped_at(5) / "checkpoints" / "last.ckpt"
    replace = Path.replace

    def replace_or_die(path, target):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return replace(path, target)

    identity = identity_of(older)
    start = find_start(run_dir, str(older), identity)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_or_die)
        with pytest.raises(KeyboardInterrupt):
            make_way(run_dir, start)
    assert find_start(run_dir, "auto", identity).step in (11, 10, 8, 5)


def test_an_unreadable_file_does_not_take_the_place_of_a_good_one(stopped_at):
    run_dir = stopped_at(9)
    last = run_dir / "checkpoints" / "last.ckpt"
    last.write_bytes(b"")
    identity = identity_of(run_dir / "checkpoints" / "previous.ckpt")
    make_way(run_dir, find_start(run_dir, "auto", identity))
    assert not last.exists()
    assert (run_dir / "checkpoints" / "aside" / "unreadable_last.ckpt").exists()
    assert find_start(run_dir, "auto", identity).step == 8


def test_a_start_from_elsewhere_is_kept_in_the_new_folder(stopped_at, tmp_path):
    older = stopped_at(5) / "checkpoints" / "last.ckpt"
    identity = identity_of(older)
    start = find_start(tmp_path / "new", str(older), identity)
    assert "holds 0 of the" in start.messages[-1]
    (tmp_path / "new" / "checkpoints").mkdir(parents=True)
    make_way(tmp_path / "new", start)
    shutil.rmtree(older.parent)
    assert find_start(tmp_path / "new", "auto", identity).step == 5


@pytest.mark.parametrize("damage", ["empty", "torn", "garbage"])
def test_a_damaged_log_is_told_and_the_run_goes_on(damage, smoke, reference, stopped_at, capsys):
    run_dir = stopped_at(12)
    log = run_dir / "metrics.csv"
    content = log.read_bytes()
    log.write_bytes(
        {"empty": b"", "torn": content[: len(content) // 2], "garbage": b"\xff\x00" * 200}[damage]
    )
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_weights(saved(run_dir)["state_dict"], saved(reference)["state_dict"])
    shown = " ".join(capsys.readouterr().out.split())
    kept, written = (shown.partition("metrics.csv holds ")[2].split()[i] for i in (0, 3))
    assert int(written) == saved(stopped_at(12))["rhobin"]["log_rows"]
    assert (int(kept) > 0) == (damage == "torn")
    steps = steps_of(run_dir)
    assert steps == sorted(steps)
    assert steps[int(kept) :] == [step for step in steps_of(reference) if step > 12]


@pytest.mark.parametrize("damage", [b"", b'{"id": "12', b"[]", b"\xff\xfe"])
def test_a_damaged_run_json_is_told_and_the_run_goes_on(damage, stopped_at, caplog):
    run_dir = stopped_at(13)
    (run_dir / "run.json").write_bytes(damage)
    assert read_run(run_dir) == {}
    assert "run.json is not readable" in caplog.text


def test_a_run_without_its_run_json_is_finished(smoke, reference, stopped_at):
    run_dir = stopped_at(13)
    (run_dir / "run.json").write_bytes(b"")
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert_same_run(run_dir, reference)
    assert read_run(run_dir)["state"] == "finished"


@pytest.mark.parametrize("resume", ["auto", "none", "path"])
def test_checkpoints_of_lightning_s_slurm_handler_are_refused_by_name(resume, stopped_at):
    run_dir = stopped_at(7)
    shutil.copy(run_dir / "checkpoints" / "last.ckpt", run_dir / "hpc_ckpt_1.ckpt")
    resume = str(run_dir / "hpc_ckpt_1.ckpt") if resume == "path" else resume
    with pytest.raises(ResumeError, match=r"hpc_ckpt_1\.ckpt was written by Lightning's SLURM handler"):
        find_start(run_dir, resume, {})


def test_a_kill_between_best_and_last_of_the_final_step_is_made_good(smoke, reference, tmp_path):
    """The final state is there as best.ckpt, and last.ckpt is a step older."""
    run_dir = shutil.copytree(reference, tmp_path / "run")
    folder = run_dir / "checkpoints"
    (folder / "last.ckpt").replace(folder / "best.ckpt")
    (folder / "previous.ckpt").replace(folder / "last.ckpt")
    info = (run_dir / "run.json").read_text()
    (run_dir / "run.json").write_text(info.replace('"finished"', '"running"'))
    fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
    assert read_run(run_dir)["state"] == "finished"
    ours, theirs = saved(run_dir), saved(reference)
    assert ours["global_step"] == theirs["global_step"]
    assert_same_weights(ours["state_dict"], theirs["state_dict"])
    assert ours["rhobin"]["random"]["python"] == theirs["rhobin"]["random"]["python"]
    assert (ours["rhobin"]["random"]["torch"] == theirs["rhobin"]["random"]["torch"]).all()
