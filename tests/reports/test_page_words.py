"""What the report says with its numbers: units, names, how many frames, whether the data are generated."""

from __future__ import annotations

import copy
import json
import math
import re
from html import unescape

import pytest
from heads import without_unit
from hypothesis import given
from hypothesis import strategies as st

from rhobin.metrics.tracks import JOINT
from rhobin.reports.axes import Axis, heights
from rhobin.reports.facts import run_facts
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import keep_units, plain
from rhobin.reports.scores_section import lead_sentence, scores_section
from rhobin.scoring.document import read_scores
from rhobin.scoring.measured import MEASURED

UNIT = r"(?:%|mm|cm|m|px|deg|ms|s|min)"


@pytest.fixture(scope="module")
def page(scored_run) -> str:
    return (scored_run.run / "report.html").read_text()


@pytest.fixture(scope="module")
def scores(scored_run):
    return read_scores(scored_run.run)


def test_every_head_names_its_unit(page):
    assert without_unit(page) == []


def test_no_line_breaks_between_a_number_and_its_unit(page):
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S)
    assert not re.findall(rf"\d(?:&thinsp;|[ \u2009]){UNIT}\b", plain(body))
    assert len(re.findall(rf"\d\u202f{UNIT}(?!\w)", body)) > 30
    told = '<i title="5 mm">5 mm, 3 members, 7 %</i>'
    assert keep_units(told) == '<i title="5 mm">5\u202fmm, 3 members, 7\u202f%</i>'


def test_the_first_sentence_says_that_the_data_are_generated(page, scores):
    lead = re.search(r'<p class="lead">(.*?)</p>', page).group(1)
    assert plain(lead).startswith("On generated data, KHOR scores SMPL ")
    rows = scores[0]["tracks"]["joint"]
    assert "generated" not in lead_sentence(JOINT, rows, "khor", "KHOR", MEASURED)


def test_every_track_has_its_constant_predictors(page):
    tracks = re.split(r"<h3>(?=Joint track|Human track|Object track)", page)[1:]
    assert len(tracks) == 3
    for part in tracks:
        names = re.findall(r'<span class="name">(.*?)</span>', part.split("</table>")[0])
        assert names == ["Constant", "Constant per object", "KHOR", "Perfect prediction"]
    assert "no constant predictor" not in page


def test_without_training_views_the_page_says_why_there_is_no_constant(scores):
    document, frames = scores
    tracks = {
        name: {row: rows[row] for row in ("khor", "perfect")} for name, rows in document["tracks"].items()
    }
    html = plain(scores_section(tracks, frames, document["origin"]))
    assert "There is no constant predictor to compare with" in html
    assert "Bars show" not in html


def test_hidden_frames_do_not_make_the_coverage_larger_than_all_frames(scores):
    """The server counts predictions of hidden frames too: 116 predicted for 100 that count."""
    document, _ = scores
    row = copy.deepcopy(document["tracks"]["joint"]["khor"]) | {"coverage": 1.16}
    told = plain(run_facts({}, document["origin"], row))
    assert "100.0 % of the frames that count" in told
    assert "the server's coverage is 1.160" in told
    row |= {"visible_frames": 100, "missing": ["a/b"] * 16}
    assert "84.0 % of the frames that count" in plain(run_facts({}, document["origin"], row))


def test_every_drawing_has_a_name_of_its_own(page):
    names = re.findall(r'<svg class="chart[^"]*"[^>]* role="img" aria-label="([^"]*)"', page)
    assert len(names) == page.count("<svg") == len(set(names))
    charts = [unescape(name) for name in names]
    assert any(
        "SMPL: share of frames" in n and "Lines: constant, constant per object, KHOR" in n for n in charts
    )
    assert all(re.search(r'alt="[^"]+"', image) for image in re.findall(r"<img[^>]*>", page))
    assert all("aria-label=" in m for m in re.findall(r'<span class="meter"[^>]*>', page))


def readings(figure: str) -> dict:
    return json.loads(unescape(re.search(r'data-chart="([^"]*)"', figure).group(1)))


def test_all_lines_are_read_at_every_place():
    """By hand: halfway in pixels of a logarithmic axis is the geometric mean."""
    every = Series("train", [1.0, 10.0, 100.0], [4.0, 2.0, 1.0], "plain")
    some = Series("val", [1.0, 100.0], [100.0, 1.0], "body")
    late = Series("late", [10.0, 100.0], [3.0, math.nan], "good")
    told = readings(line_chart([every, some, late], "c", "step", log_x=True, log_y=True))
    assert [s["y"] for s in told["series"]] == [[4.0, 2.0, 1.0], [100.0, 10.0, 1.0], [None, 3.0, None]]


def test_spread_curves_run_over_the_whole_axis(page):
    spreads = [
        readings(f) for f in re.findall(r"<figure data-chart.*?</figure>", page) if "share of frames" in f
    ]
    assert len(spreads) == 6
    for told in spreads:
        for line in told["series"]:
            assert None not in line["y"]
            assert line["y"] == sorted(line["y"])
            assert line["y"][-1] == 100


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(0, 1), st.booleans())
def test_an_axis_reads_back_what_it_draws(low, span, share, log):
    low = abs(low) + 1e-3 if log else low
    axis = Axis(low, low + span, 300.0, 12.0, log)
    value = low + share * span
    assert axis.value(axis.pixel(value)) == pytest.approx(value, rel=1e-6, abs=1e-6 * span)
    assert heights({low: 1.0}, [low, low + span], axis, axis)[0] == 1.0


def test_the_page_joins_the_units_of_the_scene_too(page):
    captions = re.findall(r'"caption":"(.*?)"', page)
    assert captions
    assert all(re.search(rf"\d(?:\\u202f|\u202f){UNIT}", caption) for caption in captions)
