"""`rhobin tables --after`: later results stand apart, with their sources, and our rows apart from them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from omegaconf import OmegaConf

from rhobin.__main__ import main
from rhobin.engine.evaluate import joint_protocol
from rhobin.metrics.joint_track import JointErrors, JointScore
from rhobin.metrics.later import LATER
from rhobin.metrics.paper import TABLE_4
from rhobin.metrics.protocol import JOINT_MODES, OBJECT_MODES
from rhobin.metrics.submission import Example
from rhobin.scoring.document import ScoredRow, write_scores
from rhobin.scoring.measured import measured_rows
from rhobin.scoring.track import protocol_words

EXAMPLES = tuple(Example(f"Date03_Sub0{s}_stool_sit", "t0003.000", "stool", 0, 0, 1.0) for s in range(4))


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def scored(folder, mode, generated=False, **told):
    rng = np.random.default_rng(0)
    names = ("contact_precision", "contact_recall", "penetration_mm", "penetration_percent", "floating_mm")
    further = {name: rng.uniform(0.2, 0.9, 4) for name in names} if mode == "contho" else {}
    errors = JointErrors(rng.uniform(40, 60, 4), rng.uniform(70, 90, 4), further)
    score = JointScore(EXAMPLES, errors, 4, 1.0, (), JOINT_MODES[mode])
    folder.mkdir()
    origin = {
        "row": "ours",
        "title": folder.name,
        "generated": generated,
        "ref_hash": "0" * 64,
        "body": "smplh",
        **told,
    }
    write_scores(folder, {"joint": {"ours": ScoredRow(score)}}, origin)
    return score.metrics()


def test_every_row_has_protocol_source_and_year_and_says_if_it_is_unverified(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["tables", "--after"]) == 0
    said = capsys.readouterr().out
    for dataset, results in LATER.items():
        part = said[said.index(f"After the challenge: {dataset}") :]
        for result in results:
            numbers = f"{result.human_cm:.2f} +{result.object_cm:.2f}"
            line = re.search(rf"{re.escape(result.method)} +{numbers} .*{result.year} +(\d) *\n(.*)", part)
            assert line, result
            assert ("unverified" in line[2]) == (not result.verified)
            assert f"{line[1]}: protocol {result.protocol}. Source: {result.source}." in part
    assert "KHOR" not in said
    assert "not run" in said


def test_rows_known_from_notes_alone_are_marked():
    unverified = {result.method for results in LATER.values() for result in results if not result.verified}
    assert unverified == {"ScoreHOI", "CrossHOI", "VisTracker"}


def test_rows_counted_as_contho_does_are_in_that_table_and_in_no_table_of_the_challenge(tmp_path, capsys):
    ours = scored(tmp_path / "by_contho", "contho")
    scored(tmp_path / "by_camera", "procrustes-none")
    scored(tmp_path / "by_2023", "official")
    places = [str(tmp_path / name) for name in ("by_contho", "by_camera", "by_2023")]
    assert main(["tables", "--after", *places]) == 0
    said = capsys.readouterr().out
    own = said[said.index("Ours, by rhobin score joint") :]
    shown = [f"{ours[name] / 10:.2f}" for name in ("SMPL", "Object")]
    shown += [f"{ours[name]:.3f}" for name in ("Contact_P", "Contact_R")]
    assert re.search(rf"by_contho +{' +'.join(shown)}\s+\(measured\)", own)
    assert "by_2023" not in said
    assert "by_camera" not in said
    assert main(["tables", *places]) == 0
    said = capsys.readouterr().out
    assert "by_2023" in said
    assert "by_contho" not in said
    assert "by_camera" not in said
    printed = [f"{value:g}" for _, values in TABLE_4.rows for value in values]
    assert all(number in said for number in printed)
    assert "CrossHOI" not in said


@pytest.mark.parametrize(("told", "passes"), [({"evaluations": 1621.0}, 1621.0), ({}, None)])
def test_the_table_of_speeds_has_the_evaluations_that_were_counted(tmp_path, told, passes):
    timed = {"seconds": {"network": 8.0}, "predicted": 4, "run": "abc", **told}
    scored(tmp_path / "chore", "official", **timed)
    (speed,) = (row for row in measured_rows([tmp_path / "chore"]) if row.table == 5)
    assert speed.values == (passes, 2.0)


def test_settings_that_differ_from_those_of_a_protocols_name_are_told_beside_it(tmp_path, monkeypatch):
    scored(tmp_path / "whole", "official")
    changed = replace(JOINT_MODES["official"], samples=500, min_visible=0.8)
    monkeypatch.setitem(JOINT_MODES, "of_this_test", changed)
    scored(tmp_path / "fewer", "of_this_test")
    sources = [row.source for row in measured_rows([tmp_path / "whole", tmp_path / "fewer"])]
    assert sources[0].startswith("rhobin-2023-joint, ref")
    assert sources[1].startswith("rhobin-2023-joint with samples 500, min_visible 0.8, ref")
    assert protocol_words("object", OBJECT_MODES["paper"].as_dict()) == OBJECT_MODES["paper"].name


def test_an_evaluation_is_not_given_the_name_of_a_way_that_it_does_not_count_by():
    own = {"name": "mine", "samples": 500}
    assert joint_protocol(OmegaConf.create(own)).samples == 500
    with pytest.raises(ValueError, match=r"rhobin score joint .* --protocol contho"):
        joint_protocol(OmegaConf.create({**own, "name": JOINT_MODES["contho"].name}))


def test_rows_of_generated_data_say_so(tmp_path, capsys):
    scored(tmp_path / "made_up", "contho", generated=True)
    assert main(["tables", "--after", str(tmp_path / "made_up")]) == 0
    said = capsys.readouterr().out
    assert "(generated data)" in said
    assert "Numbers of generated data say nothing about BEHAVE." in said
