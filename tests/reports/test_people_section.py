"""The report's people: bars as long as the errors, an area as large as the AUC, nothing without people."""

from __future__ import annotations

import re

import numpy as np
import pytest
from heads import without_unit

from rhobin.ensemble.document import ENSEMBLE, EnsembleError
from rhobin.files import write_json
from rhobin.metrics.human import HumanErrors
from rhobin.metrics.human_track import HumanScore
from rhobin.metrics.protocol import HUMAN_MODES
from rhobin.metrics.submission import Example
from rhobin.metrics.tracks import HUMAN
from rhobin.reports.axes import Axis
from rhobin.reports.bars import NAMES, VALUES, WIDTH, bar_chart, by_side
from rhobin.reports.ensemble_section import ensemble_section
from rhobin.reports.figures import BOTTOM, LEFT, RIGHT_FREE, TOP
from rhobin.reports.people_section import LONG, ORDER, people_section
from rhobin.scoring.document import ScoredRow, scores_document
from rhobin.scoring.people import JOINT_NAMES, people_splits

FRAMES = 40


def score(size, seed=0):
    """A score of frames whose errors are about as large as `size`, mm and degrees."""
    rng = np.random.default_rng(seed)
    joints = size * rng.uniform(0.2, 2, (FRAMES, 24))
    joints[:, 0] = 0
    angles = 0.2 * size * rng.uniform(0.5, 1, (FRAMES, 9))
    eye = np.broadcast_to(np.eye(3), (FRAMES, 3, 3))
    errors = HumanErrors(joints.mean(1), joints.mean(1) / 2, joints, joints / 2, angles, angles / 2, eye)
    examples = tuple(
        Example(f"Date03_Sub0{i % 4}_stool", f"t{i:04d}", "stool", i, i, 0.9) for i in range(FRAMES)
    )
    return HumanScore(examples, errors, FRAMES, 1.0, (), HUMAN_MODES["official"])


def rows(**sizes):
    """Rows of the human track in ``scores.json``."""
    scored = {name: score(size) for name, size in sizes.items()}
    told = {name: ScoredRow(of, more=people_splits(of)) for name, of in scored.items()}
    for row in told.values():
        few = {**row.score.metrics(np.arange(4)), "frames": 4}
        single = {"MPJPE": 91.24, "MPJPE_PA": None, "joints": 5}
        row.more["by_joints_visible"] = {"50-70 %": few}
        row.more["by_joint_seen"] = {"hidden": single, "seen": single | {"joints": 1234}}
    return scores_document({"human": told}, {"row": "ours"})["tracks"]["human"]


def test_every_joint_and_part_has_its_error():
    found = rows(constant=150, ours=50, perfect=0)
    page = people_section(found, "ours", "Ours")
    for errors in (*found["ours"]["by_joint"].values(), *found["ours"]["by_part"].values()):
        for value in errors.values():
            assert f">{value:.1f}<" in page
    for name in ("Head", "Hand", "Ankle", "Chest", "Upper arm", "Shin"):
        assert f">{name}</text>" in page
    assert page.count("<rect") == 2 * 24 + 2 * 9
    assert page.count('class="beside"') == 2 * 24 + 2 * 9
    assert "91.2" in page
    assert "1,234" in page
    assert f">{found['ours']['by_joints_visible']['50-70 %']['MPJPE']:.1f}<" in page
    assert f">{found['constant']['by_joints_visible']['50-70 %']['MPJPE']:.1f}<" in page


def test_left_and_right_stand_under_each_other():
    chart = by_side({"left_hip": 1.0, "head": 3.0, "right_hip": 2.0}, {"left_hip": 4.0})
    assert {name: [(bar.side, bar.value, bar.beside) for bar in bars] for name, bars in chart.items()} == {
        "hip": [("left", 1.0, 4.0), ("right", 2.0, None)],
        "head": [("", 3.0, None)],
    }
    drawn = bar_chart(chart, "c", "mm")
    bars = re.findall(r'class="bar (\w*)" x="(\d+)" y="([\d.]+)" width="([\d.]+)"', drawn)
    assert [bar[0] for bar in bars] == ["left", "right", ""]
    lengths = np.array([float(bar[3]) for bar in bars])
    np.testing.assert_allclose(lengths, np.array([1, 2, 3]) / 4 * (WIDTH - VALUES - NAMES), atol=0.1)
    tops = [float(bar[2]) for bar in bars]
    assert tops == sorted(tops)
    assert set(re.findall(r'class="side"[^>]*>(\w*)<', drawn)) == {"L", "R", ""}


def test_the_shaded_area_is_the_auc():
    found = rows(constant=150, ours=50)
    page = people_section(found, "ours", "Ours")
    width, height = LONG
    x, y = Axis(0, 199, LEFT, width - RIGHT_FREE), Axis(0, 105, height - BOTTOM, TOP)
    whole = (x.pixel(199) - x.pixel(0)) * (y.pixel(0) - y.pixel(100))
    areas = re.findall(r'<polygon class="area \w+" points="([^"]*)"', page)
    for name, points in zip(("ours", "constant"), areas, strict=True):
        u, v = np.array([[float(n) for n in point.split(",")] for point in points.split()]).T
        area = 0.5 * abs(np.dot(u, np.roll(v, 1)) - np.dot(v, np.roll(u, 1)))  # of a polygon, by Gauss
        assert area / whole == pytest.approx(found[name]["scores"]["AUC"], abs=1e-3)
        assert f"AUC {found[name]['scores']['AUC']:.3f}" in page
    line = re.search(r'class="mark" x1="([\d.]+)"', page)
    assert float(line.group(1)) == pytest.approx(x.pixel(50), abs=0.1)
    assert f"PCK: {HUMAN.column('PCK').shown(found['ours']['scores']['PCK'])} % within 50 mm" in page


def test_an_ensembles_best_member_takes_the_constants_place():
    page = people_section(rows(ours=50, **{"best member, run1": 60}), "ours", "Ensemble of 3")
    assert ">best member, run1<" in page
    assert "Best member, run1: MPJPE" in page
    alone = people_section(rows(ours=50, perfect=0), "ours", "Ours")
    assert 'class="beside"' not in alone
    assert "constant" not in alone.lower()


@pytest.mark.parametrize(
    "found", [{}, {"ours": {"reason": "a frame is missing"}}, {"ours": {"scores": {}, "frames": 0}}]
)
def test_nothing_is_shown_without_people(found):
    assert people_section(found, "ours", "Ours") == ""


def test_without_masks_visibility_is_left_out():
    found = rows(ours=50)
    for key in ("by_joints_visible", "by_joint_seen"):
        del found["ours"][key]
    assert "how much of the person" not in people_section(found, "ours", "Ours")


def ensemble(folder, parts=None, gain=True):
    told = {"unit": "mm", "members": [61.26, 66.0], "member": 61.2, "stack": 55.55, "gain_percent": 9.24}
    told |= {"folds_percent": [8.5, 10.0], "spread_percent": 1.06, "chosen": [0, 0]}
    document = {
        "schema": 2,
        "members": [{"run": f"runs/m{i}", "title": f"Net {i}"} for i in range(2)],
        "weights": {"shape": [0.625, 0.375], "turn": [1.0, 0.0], "pelvis": [0.111, 0.889], "parts": parts},
        "body": "stand-in",
        "body_hash": "b" * 12,
        "gain": {"MPJPE": told} if gain else {},
        "best": 0,
        "folds": [["a"], ["b"]],
        "frames": 1320,
        "refit_mm": 0.617,
    }
    write_json(folder / ENSEMBLE, document)


def test_an_ensemble_shows_weights_gain_and_refit(tmp_path):
    assert ensemble_section(tmp_path) == ""
    ensemble(tmp_path, parts={"left_hip": [0.25, 0.75]})
    page = ensemble_section(tmp_path)
    for shown in ("m0", "Net 1", "0.625", "0.889", "61.3", "9.2 &plusmn; 1.1", "8.5, 10.0", "61.20", "55.55"):
        assert shown in page, shown
    assert "0.62 mm" in page
    assert without_unit(page) == ["m0", "m1", "Best member", "Ensemble"]  # weights; the row has the unit
    assert "1,320 validation views" in page
    assert ">left hip<" in page
    ensemble(tmp_path, gain=False)
    assert "Gain" not in ensemble_section(tmp_path)
    (tmp_path / ENSEMBLE).write_text("{")
    with pytest.raises(EnsembleError, match="rhobin ensemble fit"):
        ensemble_section(tmp_path)


def test_names_of_joints_are_all_drawn():
    names = {name.removeprefix("left_").removeprefix("right_") for name in JOINT_NAMES}
    assert names == set(ORDER)
