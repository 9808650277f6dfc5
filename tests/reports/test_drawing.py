"""Overlays, charts and the choice of cases."""

from __future__ import annotations

import json
import math
import re
from html import unescape

import numpy as np
import pytest
import trimesh

from rhobin.metrics.joint_track import JointErrors, JointScore
from rhobin.metrics.protocol import OFFICIAL_2023
from rhobin.metrics.submission import Example
from rhobin.metrics.tracks import HUMAN, JOINT, OBJECT, TRACKS
from rhobin.reports.axes import Axis
from rhobin.reports.cases import choose_cases
from rhobin.reports.curves import curve_figures, read_metrics
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import change, tag
from rhobin.reports.overlay import Surface, Window, data_uri, draw_outlines, draw_surfaces, window_around
from rhobin.reports.scene3d import split_creases
from rhobin.scoring.breakdown import breakdown, visible_bin
from rhobin.scoring.document import FrameRow, ScoredRow, scores_document

K = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])


def box(center, extents=(0.4, 0.6, 0.3), color=(240, 150, 62)) -> Surface:
    mesh = trimesh.creation.box(extents)
    return Surface(np.array(mesh.vertices) + center, np.array(mesh.faces), color)


def test_window_maps_pixels_and_rays_alike():
    image = np.zeros((240, 320, 3), np.uint8)
    image[100, 200] = 255
    window = Window(180.0, 80.0, 40.0, 320)
    shown = window.cut(image).mean(-1)
    v, u = np.unravel_index(shown.argmax(), shown.shape)
    ray = np.linalg.inv(K) @ [200, 100, 1]
    pixel = window.intrinsics(K) @ ray
    np.testing.assert_allclose([u, v], pixel[:2] / pixel[2], atol=1.0)
    np.testing.assert_allclose(pixel[:2] / pixel[2], 8 * (np.array([200.5, 100.5]) - [180, 80]) - 0.5)


def test_surfaces_cover_exactly_their_projection():
    image = np.zeros((240, 320, 3), np.uint8)
    flat = Surface(
        np.array([[-0.5, -0.4, 2], [0.5, -0.4, 2], [0, 0.6, 2.0]]), np.array([[0, 1, 2]]), (255, 255, 255)
    )
    window = Window(0, 0, 240, 240)
    drawn = draw_surfaces(image, [flat], K, window).mean(-1) > 0
    v, u = np.mgrid[:240, :240]
    corners = (flat.verts @ K.T)[:, :2] / 2
    signs = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edge = corners[b] - corners[a]
        signs.append(edge[0] * (v - corners[a, 1]) - edge[1] * (u - corners[a, 0]) > 0)
    inside = np.logical_and.reduce(signs)
    assert (drawn & inside).sum() / (drawn | inside).sum() > 0.97


def test_nearer_surface_hides_the_farther():
    image = np.full((240, 320, 3), 90, np.uint8)
    near, far = box((0, 0, 2), color=(255, 0, 0)), box((0, 0, 3), color=(0, 0, 255))
    for order in ([near, far], [far, near]):
        center = draw_surfaces(image, order, K, Window(40, 0, 240, 200), opacity=1.0)[100, 100]
        assert center[0] > 60
        assert center[2] == 0


def test_outline_is_on_the_edge_only():
    image = np.full((240, 320, 3), 90, np.uint8)
    window = Window(40, 0, 240, 240)
    shown = draw_outlines(window.cut(image), [box((0, 0, 2))], K, window)
    assert (shown[120, 120] == 90).all()
    assert (shown[5, 5] == 90).all()
    row = np.abs(shown[120].astype(int) - 90).sum(-1)
    changed = np.flatnonzero(row > 60)
    left, right = changed.min(), changed.max()
    half = 300 * 0.2 / 1.85
    assert abs((right - left) / 2 - half) < 4


def test_window_shows_targets_whole_and_bounds_strays():
    target, stray = box((0.2, 0, 3)), box((-8.0, 0, 3))
    window = window_around([target.verts], [stray.verts], K, 640, 480, 400)
    pixels = (target.verts @ K.T)[:, :2] / (target.verts @ K.T)[:, 2:] + 0.5
    assert (pixels >= [window.x, window.y]).all()
    assert (pixels <= [window.x + window.side, window.y + window.side]).all()
    assert window.side < 2.5 * np.ptp(pixels, axis=0).max()
    behind = window_around([target.verts], [stray.verts * [1, 1, -1]], K, 640, 480, 400)
    assert behind.side <= window.side


def test_data_uri_is_a_jpeg():
    assert data_uri(np.zeros((8, 8, 3), np.uint8)).startswith("data:image/jpeg;base64,/9j/")


def test_creases_part_a_box_but_not_a_sphere():
    cube = trimesh.creation.box()
    origin, faces = split_creases(np.array(cube.vertices), np.array(cube.faces))
    assert len(origin) == 24
    np.testing.assert_array_equal(origin[faces], cube.faces)
    ball = trimesh.creation.icosphere(subdivisions=3)
    origin, _ = split_creases(np.array(ball.vertices), np.array(ball.faces))
    assert len(origin) == len(ball.vertices)


def errors(count: int, sequences: int = 5) -> list[FrameRow]:
    return [
        FrameRow(
            f"Date03_Sub04_stool_{i % sequences}",
            f"t{i:04d}.000",
            "stool",
            0.5,
            {"smpl_mm": 20.0 + i, "object_mm": 30.0 + i, "mpjpe_pa_mm": 99.0 - i},
        )
        for i in range(count)
    ]


def test_cases_are_best_median_and_worst_of_different_sequences():
    frames = errors(50)
    cases = choose_cases(frames[::-1], JOINT)
    assert [c.kind for c in cases] == ["best"] * 3 + ["median"] * 3 + ["worst"] * 3
    assert cases[0].error == frames[0]
    assert cases[6].error == frames[-1]
    assert {abs(c.error.errors["smpl_mm"] - 45) for c in cases[3:6]} <= {0.0, 1.0, 2.0}
    for kind in ("best", "median", "worst"):
        assert len({c.error.sequence for c in cases if c.kind == kind}) == 3
    assert len({(c.error.sequence, c.error.frame) for c in cases}) == 9


def test_cases_are_ranked_by_their_track():
    frames = errors(9)
    assert choose_cases(frames, HUMAN)[0].error == frames[-1]
    assert choose_cases(frames, JOINT)[0].error == frames[0]
    assert choose_cases(frames, OBJECT) == []  # none has its errors
    assert choose_cases(frames, JOINT)[0].errors == "SMPL 20.0 mm, Object 30.0 mm"


def test_few_frames_are_shared_out():
    assert [c.kind for c in choose_cases(errors(4), JOINT)] == ["best", "median", "worst"]
    assert len(choose_cases(errors(1), JOINT)) == 1
    assert choose_cases([], JOINT) == []


def test_axis_ticks_are_round_and_inside():
    linear = Axis(0, 137, 0, 400).ticks()
    assert linear == [0, 20, 40, 60, 80, 100, 120]
    assert Axis(-3.9, 2.3, 248, 0).ticks() == [-2, 0, 2]
    assert Axis(0, 4, 0, 800, whole=True).ticks() == [0, 1, 2, 3, 4]
    log = Axis(12, 900, 0, 400, log=True)
    assert log.ticks() == [20, 50, 100, 200, 500]
    assert log.pixel(12) == 0
    assert log.pixel(900) == pytest.approx(400)


def test_chart_carries_its_values():
    figure = line_chart([Series("loss", [10, 20], [2.0, math.nan], "body")], "c", "step")
    data = json.loads(unescape(re.search(r'data-chart="([^"]*)"', figure).group(1)))
    assert data["series"] == [{"name": "loss", "style": "body", "y": [2.0, None]}]
    assert data["x"] == ["10", "20"]
    assert "NaN" not in figure
    assert "No values" in line_chart([], "c", "step")


def test_curves_come_from_the_log(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,epoch,train/loss,val/smpl_mm\n10,0,2.5,\n20,0,1.5,\n20,0,,80.5\n")
    assert read_metrics(path) == {"train/loss": ([10, 20], [2.5, 1.5]), "val/smpl_mm": ([20], [80.5])}
    assert "no training log" in curve_figures(read_metrics(tmp_path / "none.csv"), {})


def test_curves_show_whatever_was_logged(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,epoch,train/loss,val/loss,val/MSSD,val/RE,val/AR_all\n10,0,2.5,2,900,40,0.1\n")
    figures = curve_figures(read_metrics(path), {"object": {"constant": {"scores": {"MSSD": 700, "RE": 30}}}})
    names = [json.loads(unescape(m))["series"] for m in re.findall(r'data-chart="([^"]*)"', figures)]
    assert [[s["name"] for s in series] for series in names] == [["train", "val"], ["MSSD"], ["RE"], ["val"]]
    assert "AR_all" in figures
    assert figures.count("constant") >= 2


@pytest.mark.parametrize(("sequences", "told"), [(11, False), (12, True)])
def test_parts_of_enough_sequences_have_intervals(sequences, told):
    examples = tuple(Example(f"d_s_o_{i % sequences}", str(i), "o", i, i, 0.5) for i in range(2 * sequences))
    frames = JointErrors(*(np.arange(2 * sequences) + start for start in (20.0, 30.0)))
    score = JointScore(examples, frames, len(examples), 1.0, (), OFFICIAL_2023)
    (whole,) = breakdown(score, "object_name").values()
    held = {name: low < whole[name] < high for name, (low, high) in whole.get("intervals", {}).items()}
    assert held == ({"SMPL": True, "Object": True} if told else {})


def test_groups_and_bins():
    examples = tuple(Example(f"d_s_o_{i % 2}", str(i), "o", i, i, 0.5) for i in range(10))
    frames = JointErrors(20.0 + np.arange(10), 30.0 + np.arange(10))
    groups = breakdown(JointScore(examples, frames, 10, 1.0, (), OFFICIAL_2023), "sequence")
    assert [(name[-1], g["frames"], g["SMPL"]) for name, g in groups.items()] == [
        ("0", 5, 24.0),
        ("1", 5, 25.0),
    ]
    assert [visible_bin(v) for v in (0.0, 0.3, 0.39, 0.4, 0.8, 1.0)] == [
        "0-30 %",
        "30-40 %",
        "30-40 %",
        "40-60 %",
        "80-100 %",
        "80-100 %",
    ]


def test_a_score_that_does_not_exist_is_null():
    score = JointScore((), None, 40, 0.9, ("a/b",), OFFICIAL_2023)
    document = scores_document({"joint": {"khor": ScoredRow(score)}}, {})
    row = json.loads(json.dumps(document, allow_nan=False))["tracks"]["joint"]["khor"]
    assert row["scores"] == {"SMPL": None, "Object": None}
    assert row["missing"] == ["a/b"]
    assert JOINT.column("SMPL").shown(None) == "-"


@pytest.mark.parametrize("track", TRACKS.values(), ids=TRACKS)
def test_a_track_s_record_is_complete(track):
    """Columns are the scorer's and the paper's; those that frames have are named as the scorer names them."""
    assert len(track.columns) == len(track.paper.columns)
    arrows = ["↑" in head for head in track.paper.columns]
    assert [column.higher_is_better for column in track.columns] == arrows
    assert {c.name for c in track.leads} <= {c.name for c in track.columns}
    assert set(track.ranked_by) <= {c.frames for c in track.columns}
    assert {"official", "paper", "strict", "2024"} <= track.modes.keys()


def test_words_of_html():
    assert tag("a", "x", class_="y", data_mode='"<') == '<a class="y" data-mode="&quot;&lt;">x</a>'
    assert change(70.0, 100.0) == "&minus;30"
    assert change(104.0, 100.0) == "+4"
    assert change(None, 100.0) == "&ndash;"


@pytest.mark.parametrize("log", ["", "<html>\n</html>\n", "step,train/loss\n1,many\n", "step,train/loss\n"])
def test_a_log_that_is_none_is_refused_by_name(tmp_path, log):
    path = tmp_path / "metrics.csv"
    path.write_text(log)
    with pytest.raises(ValueError, match=r"metrics\.csv: expected .*copy the file again"):
        read_metrics(path)
