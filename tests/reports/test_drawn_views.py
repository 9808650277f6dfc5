"""Views that a network drew: their file, which are chosen, and where their pictures end up."""

from __future__ import annotations

import base64
import re
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from rhobin.behave.ref import RefTemplate
from rhobin.objects.load import load_templates
from rhobin.reports.drawn_choice import OBJECT_GROUPS, choose_objects, object_group
from rhobin.reports.drawn_views import DRAWINGS, ObjectView, read_views, write_views
from rhobin.reports.map_gallery import map_gallery
from rhobin.reports.map_panels import SHADE, WHITE, draw_panels
from rhobin.reports.map_sheet import draw_map_sheet
from rhobin.reports.palette import PRED_OBJECT, TARGET_OBJECT
from rhobin.reports.target_maps import DARK, HIDDEN
from rhobin.scoring.document import FrameRow
from rhobin.scoring.store import StoreError

SIZE, MAP = 64, 8
PLATE = np.array([[-0.3, -0.2, 0.0], [0.3, -0.2, 0.0], [0.3, 0.2, 0.0], [-0.3, 0.2, 0.0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
TEMPLATES = load_templates()


def view(**changes) -> ObjectView:
    """A plate above and left of the middle, drawn below and right of it; coordinates grow right and down."""
    ramp = np.arange(MAP, dtype=np.uint8)
    true = np.stack(np.broadcast_arrays(30 * ramp[None, :], 20 * ramp[:, None], np.uint8(7)), axis=-1)
    amodal, visible = np.zeros((2, MAP, MAP), bool), np.zeros((2, MAP, MAP), bool)
    amodal[0, 1:5, 1:4], visible[0, 1:5, 1:3] = True, True
    amodal[1, 2:7, 4:8], visible[1, 2:7, 5:8] = True, True
    region = np.where(amodal, np.arange(MAP)[:, None], 0)
    made = ObjectView(
        sequence="Date03_Sub04_stool_sit",
        frame="t0003.000",
        camera=1,
        object_name="stool",
        label="good",
        image=np.full((SIZE, SIZE, 3), (90, 40, 140), np.uint8),
        K=np.array([[60.0, 0, 31.5], [0, 60.0, 31.5], [0, 0, 1]]),
        R=np.stack([np.eye(3)] * 2),
        t=np.array([[-0.5, -0.4, 2.0], [0.4, 0.5, 2.0]]),
        nocs=np.stack([true, 255 - true]),
        region=region.astype(np.uint16),
        amodal=amodal,
        visible=visible,
        scores=np.array([1.25, -0.5]),
    )
    return replace(made, **changes)


def panels(shown: ObjectView, size: int = SIZE):
    return {panel.title: panel for panel in draw_panels(shown, PLATE, FACES, size)}


def edges(picture: np.ndarray, color) -> tuple[int, int, int, int]:
    """First and last column, first and last row that have a colour."""
    rows, columns = np.nonzero(np.abs(picture.astype(int) - color).max(axis=-1) < 60)
    return columns.min(), columns.max(), rows.min(), rows.max()


def expected_edges(t: np.ndarray, scale: int) -> list[float]:
    """Where the plate's edges are on a picture `scale` times as wide as the crop."""
    corners = (60 * (PLATE + t)[:, :2] / 2.0 + 31.5 + 0.5) * scale - 0.5
    return [*sorted(corners[[0, 1], 0]), *sorted(corners[[0, 3], 1])]


def test_outlines_are_where_the_poses_project_to():
    shown = view()
    true, drawn = panels(shown, 4 * SIZE)["Pose"].pictures
    np.testing.assert_allclose(edges(true, WHITE), expected_edges(shown.t[0], 4), atol=4)
    np.testing.assert_allclose(edges(drawn, WHITE), expected_edges(shown.t[0], 4), atol=4)
    np.testing.assert_allclose(edges(drawn, PRED_OBJECT), expected_edges(shown.t[1], 4), atol=4)
    assert not (np.abs(true.astype(int) - PRED_OBJECT).max(axis=-1) < 60).any()
    assert true[-30, 30].tolist() == [90, 40, 140]


def test_coordinates_are_colours_darker_where_hidden():
    for side, picture in enumerate(panels(view())["Coordinates"].pictures):
        shown = view()
        seen, hidden = shown.visible[side], shown.amodal[side] & ~shown.visible[side]
        np.testing.assert_array_equal(picture[seen], shown.nocs[side][seen])
        np.testing.assert_array_equal(picture[hidden], np.round(SHADE * shown.nocs[side][hidden]))
        assert (picture[~shown.amodal[side]] == DARK).all()


def test_masks_are_bright_where_visible_and_told_as_overlap():
    shown = view()
    shown.visible[1, 1:5, 1:4] = True
    panel = panels(shown)["Mask"]
    for side, picture in enumerate(panel.pictures):
        assert (picture[shown.visible[side]] == TARGET_OBJECT).all()
        assert (picture[shown.amodal[side] & ~shown.visible[side]] == HIDDEN).all()
        assert (picture[~shown.amodal[side] & ~shown.visible[side]] == DARK).all()
    assert panel.notes == ("", f"IoU {8 / (12 + 15):.2f}")


def test_a_region_has_the_same_colour_on_both_sides():
    shown = view(visible=view().amodal)
    true, drawn = panels(shown)["Regions"].pictures
    np.testing.assert_array_equal(true[3, 1], drawn[3, 5])
    assert len(np.unique(true[1:5, 1], axis=0)) == 4
    assert (true[0, 0] == DARK).all()


def test_the_discriminator_sees_both_through_the_true_mask():
    shown = view()
    panel = panels(shown)["Discriminator's view"]
    for side, picture in enumerate(panel.pictures):
        np.testing.assert_array_equal(picture[shown.amodal[0]], shown.nocs[side][shown.amodal[0]])
        assert (picture[~shown.amodal[0]] == 128).all()
    assert panel.notes == ("score +1.2", "score -0.5")
    assert list(panels(view(scores=np.full(2, np.nan)))) == ["Pose", "Coordinates", "Mask", "Regions"]


def test_a_file_gives_back_what_was_written(tmp_path):
    written = [view(), view(frame="t0004.000", scores=np.full(2, np.nan))]
    named = write_views(tmp_path, written)
    read = read_views(tmp_path, named)
    for ours, theirs in zip(written, read, strict=True):
        for field in fields(ObjectView):
            np.testing.assert_array_equal(getattr(ours, field.name), getattr(theirs, field.name))
    assert isinstance(read[0].camera, int)
    assert read_views(tmp_path, None) == []
    with pytest.raises(StoreError, match=r"drawings\.npz is not the file.*eval\.py run=RUN force=true"):
        read_views(tmp_path, "another")
    assert write_views(tmp_path, []) is None
    assert not (tmp_path / DRAWINGS).exists()
    with pytest.raises(FileNotFoundError, match=r"drawings\.npz is missing.*force=true"):
        read_views(tmp_path, named)


def frame(number: int, name: str, visible: float, mssd: float, diameter: float = 500.0) -> FrameRow:
    errors = {"mssd_mm": mssd, "diameter_mm": diameter}
    return FrameRow(f"Date03_Sub04_{name}_use", f"t{number:04d}.000", name, visible, errors)


def templates():
    made = {}
    for name in ("stool", "backpack", "yogaball"):
        template = TEMPLATES[name]
        motions = list(zip(template.symmetries, template.symmetry_offsets, strict=True))
        made[name] = RefTemplate(template.verts, template.faces, motions)
    return made


def test_views_are_chosen_by_symmetry_visible_fraction_and_error():
    frames = [frame(i, "stool", 0.9, 10.0 * i) for i in range(1, 13)]
    frames += [frame(20 + i, "backpack", 0.35, 100.0 * i) for i in range(1, 4)]
    frames += [frame(30, "yogaball", 0.59, 5.0), FrameRow("x", "t", "stool", 0.9, {"smpl_mm": 3.0})]
    chosen = choose_objects(frames[::-1], templates())
    found = [(object_group(row, templates()), row.frame[3:5], label) for row, label in chosen]
    assert found == [
        (OBJECT_GROUPS[1], "21", "good"),
        (OBJECT_GROUPS[1], "22", "median"),
        (OBJECT_GROUPS[1], "23", "bad"),
        (OBJECT_GROUPS[2], "03", "good"),
        (OBJECT_GROUPS[2], "07", "median"),
        (OBJECT_GROUPS[2], "10", "bad"),
        (OBJECT_GROUPS[3], "30", "median"),
    ]
    assert choose_objects([], templates()) == []


def test_small_objects_are_ranked_in_their_own_size():
    small, large = frame(1, "stool", 0.9, 40.0, 100.0), frame(2, "stool", 0.9, 80.0, 800.0)
    middle = frame(3, "stool", 0.9, 50.0, 200.0)
    assert [row.frame for row, _ in choose_objects([small, large, middle], templates())] == [
        "t0002.000",
        "t0003.000",
        "t0001.000",
    ]


def test_the_gallery_groups_views_and_carries_their_maps():
    views = [view(label="bad"), view(object_name="backpack", sequence="Date03_Sub04_backpack_use")]
    rows = [
        FrameRow(v.sequence, v.frame, v.object_name, 0.4 + 0.5 * i, {"mssd_mm": 50.0, "diameter_mm": 400.0})
        for i, v in enumerate(views)
    ]
    page = map_gallery(views, rows, templates())
    assert re.findall(r"<h3>(.*?)</h3>", page) == [OBJECT_GROUPS[0], OBJECT_GROUPS[3]]
    assert page.index("Good: backpack") < page.index("Bad: stool")
    assert "MSSD 50 mm, 12 % of the diameter" in page
    assert page.count("score +1.2") == 2
    pictures = re.findall(r'src="data:image/png;base64,([^"]*)" alt="([^"]*)"', page)
    assert [alt for _, alt in pictures[:4]] == [
        "Coordinates, true",
        "Mask, true",
        "Regions, true",
        "Discriminator&#x27;s view, true",
    ]
    assert pictures[4][1] == "Coordinates, predicted"
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[4][0]), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[..., ::-1], panels(views[1])["Coordinates"].pictures[1])
    assert map_gallery([], rows, templates()) == ""


def test_a_sheet_has_the_truth_left_of_what_was_drawn():
    shown = view()
    size, step = 80, 2 * 80 + 4 + 10
    sheet = draw_map_sheet([shown, shown], TEMPLATES, size)
    assert sheet.shape[1] == 5 * step + 10
    assert draw_map_sheet([shown], TEMPLATES, size).shape[0] < sheet.shape[0]
    top = 4 * 15 + 15 + 8
    for side, left in enumerate((10 + step, 10 + step + size + 4)):
        part = sheet[top : top + size, left : left + size][5::10, 5::10]
        np.testing.assert_array_equal(part, panels(shown)["Coordinates"].pictures[side])
    four = draw_map_sheet([view(scores=np.full(2, np.nan))], TEMPLATES, size)
    assert four.shape[1] == 4 * step + 10
