"""The confidence and symmetric objects of the report: the right numbers, and nothing where there are none."""

import re

import numpy as np
import pytest
from heads import without_unit

from rhobin.behave.ref import RefTemplate
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import ObjectScore
from rhobin.metrics.protocol import OBJECT_MODES
from rhobin.metrics.submission import Example
from rhobin.objects.catalogue import built_in
from rhobin.reports.confidence_section import confidence_section
from rhobin.reports.symmetry_tables import symmetry_tables
from rhobin.reports.terminal import score_tables
from rhobin.scoring.calibration import CONFIDENCE
from rhobin.scoring.collect import Further
from rhobin.scoring.confidence import judged_scores
from rhobin.scoring.document import ScoredRow, read_scores, write_scores
from rhobin.scoring.symmetric import symmetry_split

NAMES = ("boxsmall", "keyboard", "yogaball")


def reference(name):
    template = built_in(name)
    return RefTemplate(
        template.verts, template.faces, list(zip(template.symmetries, template.symmetry_offsets, strict=True))
    )


def judged(sequences=12):
    """Scores of 120 frames with a confidence."""
    rng, count = np.random.default_rng(0), 120
    examples = tuple(
        Example(f"Date01_Sub{i % sequences:02d}_{NAMES[i % 3]}", f"t{i:04d}", NAMES[i % 3], i, i, 0.9)
        for i in range(count)
    )
    mssd = rng.uniform(0, 200, count)
    errors = ObjectErrors(mssd, mssd / 2, mssd / 4, np.full(count, 430.0))
    score = ObjectScore(examples, errors, count, 1.0, (), OBJECT_MODES["official"])
    confidence = np.clip(1 - mssd / 200 + rng.normal(0, 0.2, count), 0, 1)
    further = Further(
        np.array([e.sequence for e in examples]),
        np.array([e.frame for e in examples]),
        {CONFIDENCE: confidence},
    )
    more = {"by_symmetry": symmetry_split(score, {name: reference(name) for name in NAMES})}
    return judged_scores({"object": {"duel": ScoredRow(score, more=more)}}, "duel", further)


def written(folder, sequences=12):
    """The same, written and read back."""
    write_scores(folder, judged(sequences), {"row": "duel"})
    document, frames = read_scores(folder)
    return document["tracks"]["object"]["duel"], frames["duel"]


def test_the_section_shows_what_was_measured(tmp_path):
    row, frames = written(tmp_path)
    html, told = confidence_section(row, frames, "Duel"), row["confidence"]
    for key in ("auroc", "area_under_risk", "area_of_oracle"):
        assert f">{told[key]:.3f}<" in html
    assert f">{100 * told['risk_of_surest']:.1f}<" in html
    assert without_unit(html) == []
    assert f"calibrated {told['calibration_error']:.3f} and {told['brier']:.3f}" in html
    assert html.count("<figure") == html.count("<polyline") / 3 == 2
    assert not re.search(r"nan|None|inf\\b", re.sub(r"<[^>]*>", "", html))


def test_the_terminal_tells_intervals_and_the_risk_of_the_surest(tmp_path):
    (table,), (row, _) = score_tables(judged()), written(tmp_path)
    told = row["confidence"]
    assert f"{100 * told['risk_of_surest']:.1f} % of the surest 80 %" in table.caption
    assert f"{told['area_under_risk']:.3f}, at best {told['area_of_oracle']:.3f}" in table.caption
    ends = "-".join(f"{end:.0f}" for end in row["intervals"]["MSSD"])
    assert list(table.columns[1].cells) == [f"{row['scores']['MSSD']:.1f}\n{ends}"]


def test_one_sequence_shows_no_calibration(tmp_path):
    row, frames = written(tmp_path, sequences=1)
    row["confidence"].pop("calibrator", None)
    html = confidence_section(row, frames, "Duel")
    assert "nothing is left to calibrate on" in html
    assert html.count("<polyline") == 5


def test_without_a_confidence_there_is_no_section(tmp_path):
    row, frames = written(tmp_path)
    row.pop("confidence")
    assert confidence_section(row, frames, "Duel") == ""
    assert confidence_section({}, [], "Duel") == ""


def test_symmetric_objects_stand_beside_asymmetric_ones(tmp_path):
    row, _ = written(tmp_path)
    html, split = symmetry_tables(row["by_symmetry"]), row["by_symmetry"]
    assert "Symmetric: boxsmall. Asymmetric: keyboard." in html
    assert without_unit(html) == []
    assert f"{split['matched']['difference']['AR_all']:+.3f} &plusmn;" in html
    assert f">{split['cells'][0]['asymmetric']['MSPD']:.1f}<" in html
    assert "(yogaball, 40 frames)" in html
    assert "29.5 degrees off" in html


@pytest.mark.parametrize("balls", [True, False])
def test_of_kinds_that_are_absent_nothing_is_said(tmp_path, balls):
    split = {**written(tmp_path)[0]["by_symmetry"], "matched": None, "cells": []}
    html = symmetry_tables(split if balls else {**split, "balls": None})
    assert "Asymmetric:" not in html
    assert bool(html) == balls
