"""Scores say which body they are of; those of the stand-in are never shown as measured on BEHAVE."""

import json
import os
import shutil
from pathlib import Path

import pytest

from rhobin.__main__ import main
from rhobin.behave.layout import SYNTHETIC
from rhobin.body.chosen import body_hash
from rhobin.body.load import find
from rhobin.engine.evaluate import evaluate
from rhobin.engine.runinfo import read_run


@pytest.fixture
def unmarked(scored_run, tmp_path) -> Path:
    """The run's data as a root that nobody says was generated."""
    root = Path(shutil.copytree(scored_run.data, tmp_path / "real", copy_function=os.link))
    (root / SYNTHETIC).unlink()
    return root


def read(run, name="scores.json"):
    return json.loads((run / name).read_text())


def test_every_file_of_an_evaluation_tells_the_body(scored_run):
    run = scored_run.run
    known = [read_run(run), read(run, "results.json"), read(run)["origin"]]
    assert {told["body_hash"] for told in known} == {body_hash(None)}
    assert body_hash(None) in (run / "report.html").read_text()
    assert read(run)["origin"]["synthetic"]


def test_the_stand_in_on_real_data_is_asked_for_and_never_measured(own_run, unmarked, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(ValueError, match=r"real was not generated .*Say data.body=FOLDER"):
        evaluate(own_run.config(f"data.root={unmarked}"))
    evaluate(own_run.config(f"data.root={unmarked}", "data.body=standin"))
    capsys.readouterr()
    assert main(["tables", str(own_run.run)]) == 0
    said = capsys.readouterr().out
    assert "(the stand-in body)" in said
    assert "(measured)" not in said
    assert f"body stand-in {body_hash(None)}" in " ".join(said.split())
    assert main(["report", str(own_run.run)]) == 0
    page = (own_run.run / "report.html").read_text()
    assert "ours on photographs with the stand-in body" in page


def test_other_body_files_are_evaluated_again(own_run, tmp_path, capsys):
    before = read(own_run.run)["tracks"]
    evaluate(own_run.config())
    assert "up to date" in capsys.readouterr().out
    bodies = tmp_path / "bodies"
    bodies.mkdir()
    for gender in ("male", "female"):
        shutil.copy(find(gender, None), bodies / f"SMPLH_{gender}.npz")
    evaluate(own_run.config(f"data.body={bodies}"))
    assert "up to date" not in capsys.readouterr().out
    assert read(own_run.run)["origin"]["body_hash"] == body_hash(bodies) != body_hash(None)
    assert read(own_run.run)["tracks"] == before
    shutil.copy(find("neutral", None), bodies / "SMPLH_neutral.npz")
    assert main(["report", str(own_run.run)]) == 1
    assert "scored with the body models of hash" in capsys.readouterr().err
