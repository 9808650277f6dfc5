import json

import pytest

from rhobin.__main__ import main
from rhobin.synthetic import build


@pytest.fixture
def quick(monkeypatch):
    """Build nothing but the bookkeeping."""
    made = []

    def make(settings, plan):
        made.append((plan.name, settings.width, settings.meshes))
        raise ValueError(f"{plan.name}: no motion found")

    monkeypatch.setattr(build, "make_layer", lambda *args: None)
    monkeypatch.setattr(build, "make_sequence", make)
    here = build.task_pool
    monkeypatch.setattr(build, "task_pool", lambda workers: here(0))
    return made


def test_options_reach_the_build_and_errors_are_one_line(quick, tmp_path, capsys):
    out = tmp_path / "data"
    code = main(
        ["synth", "--out", str(out), "--size", "tiny", "--frames", "1", "--width", "64", "--no-meshes"]
    )
    assert code == 1
    assert quick[0][1:] == (64, False)
    error = capsys.readouterr().err
    assert "rhobin synth: " in error
    assert "no motion found" in error
    assert "Traceback" not in error
    assert json.loads((out / build.RECIPE).read_text())["frames"] == 1


def test_a_second_build_of_a_folder_is_refused_while_the_first_one_writes(
    quick, monkeypatch, tmp_path, capsys
):
    arguments = ["synth", "--out", str(tmp_path), "--size", "tiny", "--width", "64"]
    codes = []

    def make(settings, plan):
        if not codes:
            codes.append(None)
            codes[0] = main(arguments)
        raise ValueError("enough")

    monkeypatch.setattr(build, "make_sequence", make)
    assert main(arguments) == 1
    assert codes == [1]
    told = capsys.readouterr().err
    assert told.count("is being written by another rhobin synth; wait until it has ended") == 1
    assert "rhobin synth: enough" in told


def test_wrong_options_are_explained(tmp_path, capsys):
    for options, words in (
        (["--width", "70"], "multiple of 4"),
        (["--workers", "0"], "at least 1"),
        (["--frames", "0"], "at least 1"),
        (["--size", "huge"], "invalid choice"),
    ):
        with pytest.raises(SystemExit):
            main(["synth", "--out", str(tmp_path), *options])
        assert words in capsys.readouterr().err


def test_another_recipe_is_told_without_a_traceback(quick, tmp_path, capsys):
    (tmp_path / build.RECIPE).write_text(json.dumps({"size": "demo", "seed": 0, "frames": None}))
    assert main(["synth", "--out", str(tmp_path), "--size", "tiny"]) == 1
    assert "another synthetic dataset" in capsys.readouterr().err
