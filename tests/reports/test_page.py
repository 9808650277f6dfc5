"""The report page: complete, self-contained, and drawn from the right numbers."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.metrics.joint import FrameMeshes, aligned_meshes
from rhobin.metrics.tracks import JOINT
from rhobin.reports.case_meshes import pose_case
from rhobin.reports.cases import choose_cases
from rhobin.reports.html import keep_units
from rhobin.reports.page import write_report
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.document import read_scores
from rhobin.scoring.store import read_results

VOID = {"meta", "link", "img", "br", "line", "polyline", "polygon", "rect"}


@pytest.fixture(scope="module")
def page(scored_run) -> str:
    return (scored_run.run / "report.html").read_text()


class Checker(HTMLParser):
    """Collects addresses and checks that elements close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_page_loads_nothing(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert all(address.startswith(("#", "data:")) for address in checker.addresses), checker.addresses
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|import\(", page)
    assert "webgl" not in page.lower()
    assert len(page) < 6e6


def test_page_is_filled(page):
    text = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", page, flags=re.S)
    assert not re.search(r"\$[a-z_]+|\bnan\b|\bNone\b|Infinity", text)
    assert page.count('<span class="badge">quoted</span>') == 3 + 4 + 2  # joint, human, object
    for value in ("121.7", "266.2", "55.8", "106.6", "45.1", "87.2"):
        assert f">{value}<" in page
    assert page.count("<img") == 2 * 3
    assert page.count("data-case=") == 3


def test_table_shows_the_scores(page, scored_run):
    rows = json.loads((scored_run.run / "scores.json").read_text())["tracks"]["joint"]
    for row in rows.values():
        assert f">{row['scores']['SMPL']:.1f}<" in page
        assert f">{row['scores']['Object']:.1f}<" in page


def test_the_other_tracks_follow_the_joint_one(page, scored_run):
    tracks = json.loads((scored_run.run / "scores.json").read_text())["tracks"]
    places = [page.index(head) for head in ("<h3>Joint track", "<h3>Human track", "<h3>Object track")]
    assert places == sorted(places)
    assert f">{tracks['human']['khor']['scores']['MPJPE']:.1f}<" in page[places[1] : places[2]]
    assert f">{tracks['object']['khor']['scores']['AR_all']:.3f}<" in page[places[2] :]
    assert "BEV-HybrIK" in page[places[1] :]
    assert "G2DR" in page[places[2] :]


def test_sections_follow_what_the_run_has(page):
    assert '<section id="people">' in page
    assert 'href="#people"' in page
    for absent in ("ensemble", "confidence", "maps"):
        assert f'id="{absent}"' not in page
        assert f'href="#{absent}"' not in page


def test_scene_holds_the_aligned_meshes(page, scored_run):
    text = re.search(r'<script type="application/json" id="scene-data">(.*?)</script>', page, re.S).group(1)
    scene = json.loads(text)
    _, frames = read_scores(scored_run.run)
    results, _ = read_results(scored_run.run)
    cases, truth = choose_cases(frames["khor"], JOINT), read_challenge(scored_run.data)
    assert [c["caption"] for c in scene["cases"]] == [keep_units(c.caption) for c in cases]
    for stored, case in zip(scene["cases"], cases, strict=True):
        person, thing = pose_case(case, truth, results)
        verts = [part.verts for part in (person.pred, thing.pred, person.target, thing.target)]
        mesh = FrameMeshes("", *verts, person.pred.faces, thing.pred.faces)
        bodies = {m["kind"]: m for m in stored["meshes"] if len(decode(m)) == len(mesh.target_body)}
        np.testing.assert_allclose(decode(bodies["prediction"]), aligned_meshes(mesh)[0], atol=1e-4)
        np.testing.assert_allclose(decode(bodies["target"]), mesh.target_body, atol=1e-4)
        faces = np.frombuffer(base64.b64decode(scene["faces"][bodies["target"]["faces"]]), "<u4")
        np.testing.assert_array_equal(faces.reshape(-1, 3), mesh.body_faces)


def decode(mesh: dict) -> np.ndarray:
    raw = np.frombuffer(base64.b64decode(mesh["verts"]), "<u2").reshape(-1, 3)
    return raw * mesh["step"] + mesh["low"]


def test_writing_again_gives_the_same_page(page, scored_run):
    assert write_report(scored_run.run, scored_run.data, read_challenge(scored_run.data)).read_text() == page


def test_unscored_run_says_what_to_do(tmp_path, scored_run):
    with pytest.raises(FileNotFoundError, match=r"scores\.json is missing.*eval\.py run="):
        write_report(tmp_path, scored_run.data, read_challenge(scored_run.data))


def test_a_method_that_draws_no_maps_has_no_gallery(page, scored_run, tmp_path, capsys):
    assert 'id="maps"' not in page
    assert not (scored_run.run / "drawings.npz").exists()
    assert main(["preview", f"run={scored_run.run}", "--out", str(tmp_path / "x.png")]) == 1
    assert "KHOR draws no maps to show; rhobin preview experiment=NAME" in capsys.readouterr().err
