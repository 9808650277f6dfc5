"""`rhobin score` asks for the body where neither the folder nor a generator tells it."""

import json

import pytest
from challenge_files import as_ref, as_results, write_layout

from rhobin.__main__ import main
from rhobin.behave.layout import SYNTHETIC
from rhobin.behave.own_body import made_with
from rhobin.body.chosen import body_hash


@pytest.fixture
def root(oracle, oracle_folder, tmp_path):
    """The official layout without body models."""
    results = as_results(oracle("rhobin_pred_low72"))
    place = write_layout(tmp_path / "root", as_ref(oracle("rhobin_ref")), results, oracle_folder)
    for file in (place / "ref").glob("SMPLH_*"):
        file.rename(place / file.name)
    return place


def score(root, track, *options):
    return main(["score", track, str(root), str(root / "out"), *options])


def origin(root):
    return json.loads((root / "out" / "scores.json").read_text())["origin"]


def test_people_are_scored_with_a_body_that_was_asked_for(root, capsys):
    assert score(root, "human") == 1
    assert "Say --body FOLDER" in capsys.readouterr().err
    assert score(root, "human", "--body", str(root)) == 0
    assert (origin(root)["body_hash"], origin(root)["generated"]) == (body_hash(root), False)
    assert main(["tables", str(root / "out")]) == 0
    assert "(measured)" in capsys.readouterr().out


def test_scores_of_the_stand_in_are_not_put_beside_the_papers(root, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert score(root, "human", "--body", "standin") == 0
    said = capsys.readouterr().out
    assert "Scores of the stand-in body are not" in said
    assert "in brackets" not in said
    assert (origin(root)["generated"], origin(root)["synthetic"]) == (True, False)
    assert main(["tables", str(root / "out")]) == 0
    said = capsys.readouterr().out
    assert "(the stand-in body)" in said
    assert "(measured)" not in said


def test_generated_data_need_no_asking(root, capsys):
    (root / SYNTHETIC).write_text(json.dumps(made_with(None)))
    assert score(root, "human") == 0
    assert origin(root)["synthetic"]
    assert "Scores of generated data are not" in capsys.readouterr().out


def test_a_folder_of_bodies_that_is_not_there_is_told_with_the_option_that_names_it(root, capsys):
    assert score(root, "human", "--body", str(root / "none")) == 1
    said = capsys.readouterr().err
    assert f"no folder {root / 'none'}: expected one with body models (SMPLH_male.pkl and others)" in said
    assert "--body or data.body=FOLDER" in said


def test_objects_need_no_body(root, capsys):
    assert score(root, "object") == 0
    assert "Body model: none." in capsys.readouterr().out
    assert not origin(root)["generated"]
