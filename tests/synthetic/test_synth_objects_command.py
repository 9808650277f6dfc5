"""`rhobin synth-objects`: the files, whoever makes them and however often it is interrupted."""

import hashlib
import json
import os
import signal
import sys
import time

import pytest
from commands import start

from rhobin.__main__ import INTERRUPTED, main
from rhobin.synthetic.renders import build

OBJECTS = ("boxtiny", "stool")
OPTIONS = ("--objects", *OBJECTS, "--count", "5", "--size", "48")


def work_here(patch):
    """Work in this process, in parts of two poses."""
    for module in (sys.modules["rhobin.behave.renders"], build):
        patch.setattr(module, "PART", 2)
    original = build.build_renders
    patch.setattr(build, "build_renders", lambda plan, workers, notify: original(plan, 0, notify))


@pytest.fixture
def here(monkeypatch):
    work_here(monkeypatch)


def files_of(root):
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished root; tests leave it as it is."""
    root = tmp_path_factory.mktemp("objects") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        work_here(patch)
        assert main(["synth-objects", "--out", str(root), *OPTIONS]) == 0
    return root


@pytest.fixture(scope="module")
def whole(made):
    return files_of(made)


def test_files_and_facts(made, whole):
    pictures = [name for name in whole if name.startswith("renders/")]
    assert len(pictures) == 2 * (5 * 3 + 3)
    assert "renders/stool/00002/000004.nocs.png" in whole
    facts = json.loads((made / "renders.json").read_text())
    assert facts["objects"] == {name: {"parts": 3, "poses": 5} for name in OBJECTS}
    assert (facts["renderer"], facts["poses"], facts["count"], facts["size"]) == ("embree", "uniform", 5, 48)


def test_shards_make_the_same_files(tmp_path, whole, here, capsys):
    for shard in ("2/3", "1/3", "3/3"):
        assert main(["synth-objects", "--out", str(tmp_path / "shards"), *OPTIONS, "--shard", shard]) == 0
    assert files_of(tmp_path / "shards") == whole
    capsys.readouterr()
    assert main(["synth-objects", "--out", str(tmp_path / "shards"), *OPTIONS]) == 0
    assert "0 renders made, 10 were there before" in capsys.readouterr().out


def test_workers_make_the_same_files(tmp_path):
    settings = build.RenderSettings(count=3, size=48)
    for workers in (0, 2):
        plan = build.plan_renders(tmp_path / str(workers), settings, OBJECTS)
        build.build_renders(plan, workers)
    assert files_of(tmp_path / "0") == files_of(tmp_path / "2")


def test_an_interrupted_part_is_made_again(tmp_path, whole, here, monkeypatch):
    out, written = tmp_path / "stopped", []

    def failing(folder, index, picture):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(index)
        original(folder, index, picture)

    original = build.write_picture
    with monkeypatch.context() as patch:
        patch.setattr(build, "write_picture", failing)
        assert main(["synth-objects", "--out", str(out), *OPTIONS]) == INTERRUPTED
    assert not (out / "renders" / "boxtiny" / "00001" / "poses.npz").exists()
    assert (out / "renders" / "boxtiny" / "00001" / "000002.color.jpg").exists()
    assert main(["synth-objects", "--out", str(out), *OPTIONS]) == 0
    assert files_of(out) == whole


def test_a_killed_command_is_completed(tmp_path):
    out, settings = tmp_path / "killed", build.RenderSettings(count=20, size=48)
    options = ("--objects", *OBJECTS, "--count", "20", "--size", "48", "--workers", "1")
    process = start("-m", "rhobin", "synth-objects", "--out", str(out), *options, output=tmp_path)
    while not list(out.glob("renders/*/*/*.png")) and process.is_alive():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    for root in (out, tmp_path / "whole"):
        build.build_renders(build.plan_renders(root, settings, OBJECTS))
    assert files_of(out) == files_of(tmp_path / "whole")


def test_a_root_gives_its_templates(tmp_path, here):
    from rhobin.behave.root_templates import root_templates
    from rhobin.behave.writers.templates import write_templates
    from rhobin.objects.load import load_templates

    own = {name: load_templates()[name] for name in ("boxtiny", "stool", "monitor")}
    write_templates(tmp_path / "root", own)
    options = ("--root", str(tmp_path / "root"), "--objects", "stool", "--count", "1", "--size", "32")
    assert main(["synth-objects", "--out", str(tmp_path / "out"), *options]) == 0
    assert list(root_templates(tmp_path / "out")) == list(root_templates(tmp_path / "root"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--seed", "1"), "seed is 0, asked for 1"),
        (("--poses", "euler"), "poses is 'uniform', asked for 'euler'"),
        (("--objects", "table"), "there is no object 'table' (--objects); expected any of backpack"),
    ],
)
def test_other_settings_are_refused(made, whole, here, capsys, change, says):
    assert main(["synth-objects", "--out", str(made), *OPTIONS, *change]) == 1
    assert says in capsys.readouterr().err
    assert files_of(made) == whole


def test_a_foreign_folder_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["synth-objects", "--out", str(tmp_path), *OPTIONS]) == 1
    assert "holds notes.txt and no renders.json; choose another --out" in capsys.readouterr().err


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b"])
def test_impossible_shards_are_refused(tmp_path, capsys, shard):
    with pytest.raises(SystemExit):
        main(["synth-objects", "--out", str(tmp_path), "--shard", shard])
    assert "expected I/N with 1 <= I <= N, such as 1/4" in capsys.readouterr().err
