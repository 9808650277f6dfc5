"""Names are data: whatever a run folder calls things, the page shows it and runs none of it."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import test_confidence_section
import test_people_section
import test_sigma_section

from rhobin.ensemble.document import ENSEMBLE
from rhobin.files import seal
from rhobin.metrics.tracks import JOINT
from rhobin.reports.cases import Case
from rhobin.reports.confidence_section import confidence_section
from rhobin.reports.ensemble_section import ensemble_section
from rhobin.reports.gallery import case_grid, scene_section
from rhobin.reports.overlay import Surface
from rhobin.reports.page import write_report
from rhobin.reports.scene3d import SceneCase, SceneMesh
from rhobin.reports.sigma_section import sigma_section
from rhobin.reports.symmetry_tables import symmetry_tables
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.document import FrameRow

EVIL = """<img src=x onerror=alert(1)>"' onload=alert(2) x='</script><script>alert(3)</script>&amp;$title"""
LOOKED_UP = {"schema", "row", "drawings", "data_hash", "results_hash", "checkpoint_hash"}
"""Strings that are compared or looked up before they are shown."""
NAMED_BY_DATA = {"by_object", "by_visible", "by_joint", "by_joints_visible", "times", "seconds", "versions"}
"""Dicts whose keys are names that the data or the machine bring."""


class Checker(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.found += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        self.found += [f"{tag} {value}" for name, value in attrs if name == "src" and value == "x"]


def run_by(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    return checker.found


def poisoned(node, key=""):
    """A document with HTML in every string and in every name of it."""
    if isinstance(node, dict):
        named = key in NAMED_BY_DATA
        return {name + EVIL if named else name: poisoned(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [poisoned(value, key) for value in node]
    if isinstance(node, str) and key not in LOOKED_UP:
        return node + EVIL
    return node


def rewrite_json(path):
    path.write_text(json.dumps(poisoned(json.loads(path.read_text()))))


def test_nothing_in_a_run_folder_becomes_html(own_run, scored_run):
    truth = read_challenge(scored_run.data)
    clean = Checker()
    clean.feed((own_run.run / "report.html").read_text())
    scores = own_run.run / "scores.json"
    rewrite_json(scores)
    document = json.loads(scores.read_text())
    frames = (own_run.run / "frames.csv").read_bytes()
    scores.write_text(json.dumps({**document, "seal": seal(document, frames)}))
    rewrite_json(own_run.run / "run.json")
    log = own_run.run / "metrics.csv"
    with log.open(newline="") as stream:
        head, *rows = csv.reader(stream)
    with log.open("w", newline="") as stream:
        renamed = [name + EVIL if "/" in name and name != "train/loss" else name for name in head]
        csv.writer(stream).writerows([renamed, *rows])
    page = write_report(own_run.run, scored_run.data, truth).read_text()
    assert run_by(page) == []
    assert page.count("&lt;img src=x onerror") > 20
    found = Checker()
    found.feed(page)
    assert found.scripts == clean.scripts
    assert EVIL not in page


def test_nothing_in_the_sections_of_other_methods_does(tmp_path):
    row, frames = test_confidence_section.written(tmp_path)
    row = poisoned(row)
    html = confidence_section(row, frames, EVIL) + symmetry_tables(row["by_symmetry"])
    html += sigma_section(poisoned(test_sigma_section.written(tmp_path, 12)))
    assert run_by(html) == []
    assert "<script" not in html
    assert html.count("&lt;img src=x onerror") > 10


def test_an_ensembles_members_and_scores_neither(tmp_path):
    test_people_section.ensemble(tmp_path, parts={"left_hip" + EVIL: [0.25, 0.75]})
    rewrite_json(tmp_path / ENSEMBLE)
    html = ensemble_section(tmp_path)
    assert run_by(html) == []
    assert "<script" not in html


def test_nor_do_names_of_sequences_frames_and_objects():
    case = Case("best", FrameRow(EVIL, EVIL, EVIL, 0.5, {"smpl_mm": 1.0, "object_mm": 2.0}), JOINT)
    corners = Surface(np.eye(3), np.array([[0, 1, 2]]), (0, 0, 0))
    scene = SceneCase(EVIL, case.caption, (SceneMesh(corners, "target"),))
    html = case_grid([case], [[("data:,", "a picture")]]) + scene_section([case], [scene])
    assert run_by(html) == []
    assert html.count("<script") == html.count("</script") == 1
    packed = re.search(r'id="scene-data">(.*?)</script>', html, re.S).group(1)
    assert json.loads(packed)["cases"][0]["caption"] == case.caption
