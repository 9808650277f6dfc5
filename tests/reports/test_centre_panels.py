"""Pictures of a person's centre: markers and heat where numbers say, depths in metres, bones on joints."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import numpy as np
import pytest
from test_drawn_views import view as object_view

from rhobin.body.joints import JOINTS29_NAMES
from rhobin.geometry.depth_bins import even_bins
from rhobin.reports.centre_panels import HEAT, draw_centre_panels
from rhobin.reports.drawn_choice import PEOPLE_GROUPS, choose_people, people_group
from rhobin.reports.drawn_views import PersonView, read_views, write_views
from rhobin.reports.map_gallery import map_gallery
from rhobin.reports.overlay import Window
from rhobin.reports.palette import PRED_BODY, TARGET_BODY
from rhobin.reports.skeleton import Skeleton, draw_skeletons
from rhobin.scoring.document import FrameRow
from rhobin.scoring.store import StoreError

SIZE, MAP, BINS = 64, 16, 8
K = np.array([[60.0, 0, 31.5], [0, 60.0, 31.5], [0, 0, 1]])
DEPTHS = 1 / np.linspace(1 / 1.0, 1 / 4.0, BINS)


def view(**changes) -> PersonView:
    """The true centre in row 4, column 10 and bin 5; drawn in row 12, column 3 and bin 1.5."""
    front, bird = np.zeros((2, MAP, MAP), np.uint8), np.zeros((2, BINS, MAP), np.uint8)
    front[0, 4, 10], bird[0, 5, 10] = 255, 255
    front[1, 12, 3], bird[1, 2, 3] = 128, 51
    joints = np.zeros((2, 29, 3))
    joints[..., 2], joints[0, :, 0], joints[1, :, 1] = 2.0, 0.5, 0.6
    made = PersonView(
        sequence="Date03_Sub04_stool_sit",
        frame="t0003.000",
        camera=1,
        object_name="stool",
        label="good",
        image=np.full((SIZE, SIZE, 3), 90, np.uint8),
        K=K,
        joints=joints,
        front=front,
        bird=bird,
        place=np.array([[5.0, 4.0, 10.0], [1.5, 12.0, 3.0]]),
        depths=DEPTHS,
    )
    return replace(made, **changes)


def middle(picture, color):
    """Mean place (x, y) of the pixels of a colour, in shares of the picture."""
    y, x = np.nonzero(np.abs(picture.astype(int) - color).max(-1) < 30)
    return (np.array([x.mean(), y.mean()]) + 0.5) / picture.shape[0]


def test_crosses_stand_on_the_places():
    joints, front, above = draw_centre_panels(view(), 320)
    for side, color, (depth, row, column) in (
        (0, TARGET_BODY, view().place[0]),
        (1, PRED_BODY, view().place[1]),
    ):
        x = (column + 0.5) / MAP
        np.testing.assert_allclose(middle(front.pictures[side], color), (x, (row + 0.5) / MAP), atol=0.005)
        y = 1 - (depth + 0.5) / BINS
        np.testing.assert_allclose(middle(above.pictures[side], color), (x, y), atol=0.005)
    np.testing.assert_allclose(middle(front.pictures[1], TARGET_BODY), (10.5 / 16, 4.5 / 16), atol=0.005)
    assert not (np.abs(front.pictures[0].astype(int) - PRED_BODY).max(-1) < 30).any()
    assert joints.pictures[0].shape == (320, 320, 3)


def test_heat_is_as_bright_as_the_map():
    nowhere = np.full((2, 3), np.nan)
    _, front, above = draw_centre_panels(view(place=nowhere), 320)
    cell = 320 // MAP
    corner = (slice(4 * cell + 2, 4 * cell + 5), slice(10 * cell + 2, 10 * cell + 5))
    assert (front.pictures[0][corner] == HEAT).all()
    half = np.round(0.4 * 90 + 128 / 255 * (np.array(HEAT) - 0.4 * 90))
    np.testing.assert_allclose(front.pictures[1][12 * cell + 3, 3 * cell + 3], half, atol=1)
    assert (front.pictures[0][-3, -3] == 36).all()
    high = 320 // BINS
    assert (above.pictures[0][(BINS - 1 - 5) * high + 3, 10 * cell + 3] == HEAT).all()


def test_notes_tell_metres_and_the_peak():
    depths = np.array(even_bins(1.0, 4.0, BINS, 0.5).scales) ** -1.0
    joints, front, above = draw_centre_panels(view(depths=depths, place=np.array([[5, 4, 10], [1.5, 12, 3]])))
    between = 2 / (1 / depths[1] + 1 / depths[2])
    assert above.notes == (f"{depths[5]:.2f} m", f"{between:.2f} m")
    assert front.notes == ("", "peak 0.50")
    assert joints.notes == ("", "")
    assert draw_centre_panels(view(place=np.full((2, 3), np.nan)))[2].notes == ("outside", "outside")


def test_bones_end_on_the_joints():
    joints = np.zeros((24, 3))
    joints[:, 2] = 2.0
    joints[[20, 22]] = [[0.4, -0.2, 2.0], [0.8, -0.2, 2.0]]  # left wrist and hand
    window = Window(0.0, 0.0, 64.0, 256)
    drawn = draw_skeletons(np.full((256, 256, 3), 90, np.uint8), [Skeleton(joints, (255, 0, 0))], K, window)
    for point in ([0.6, -0.2, 2.0], [0.8, -0.2, 2.0]):
        u, v = (4 * ((K @ point)[:2] / 2 + 0.5) - 0.5).round().astype(int)
        assert drawn[v, u, 0] > 200
        assert drawn[v, u, 1] < 60
        assert (drawn[v + 30, u] == 90).all()
    behind = joints * [1, 1, -1]
    same = draw_skeletons(np.full((256, 256, 3), 90, np.uint8), [Skeleton(behind, (255, 0, 0))], K, window)
    assert (same == 90).all()


def test_a_file_gives_back_both_kinds(tmp_path):
    written = [view(), object_view(), view(frame="t0004.000")]
    read = read_views(tmp_path, write_views(tmp_path, written))
    assert [type(one) for one in read] == [type(written[1]), PersonView, PersonView]
    for ours, theirs in zip((written[1], written[0], written[2]), read, strict=True):
        for field in fields(ours):
            np.testing.assert_array_equal(getattr(ours, field.name), getattr(theirs, field.name))


def test_a_file_of_an_older_version_says_what_to_do(tmp_path):
    np.savez(tmp_path / "drawings.npz", image=np.zeros(3))
    named = hashlib.sha256((tmp_path / "drawings.npz").read_bytes()).hexdigest()
    with pytest.raises(StoreError, match=r"expected views of objects or of people, found none.*force=true"):
        read_views(tmp_path, named)


def frame(number, error, seen):
    errors = {
        "mpjpe_mm": error,
        "mpjpe_pa_mm": error / 2,
        **({} if seen is None else {"joints_visible": seen}),
    }
    return FrameRow("Date03_Sub04_stool_sit", f"t{number:04d}.000", "stool", 0.9, errors)


def test_people_are_chosen_by_what_is_seen_and_by_error():
    frames = [frame(i, 10.0 * i, 1.0 if i % 2 else None) for i in range(1, 13)]
    frames += [frame(20 + i, 100.0 - i, 0.8) for i in range(3)]
    frames.append(FrameRow("x", "t", "stool", 0.9, {"mssd_mm": 3.0}))
    chosen = choose_people(frames[::-1])
    assert [(people_group(row), row.frame[3:5], label) for row, label in chosen] == [
        (PEOPLE_GROUPS[0], "03", "good"),
        (PEOPLE_GROUPS[0], "07", "median"),
        (PEOPLE_GROUPS[0], "10", "bad"),
        (PEOPLE_GROUPS[1], "22", "good"),
        (PEOPLE_GROUPS[1], "21", "median"),
        (PEOPLE_GROUPS[1], "20", "bad"),
    ]
    assert choose_people([]) == []


def test_the_gallery_shows_people_with_their_errors():
    page = map_gallery([view()], [frame(3, 80.0, 0.75)], {})
    assert f"<h3>{PEOPLE_GROUPS[1]}</h3>" in page
    assert "MPJPE 80 mm, MPJPE_<wbr>PA 40 mm" in page
    assert "75 % of the joints seen" in page
    assert page.count("<img") == 2 * 3
    assert len(JOINTS29_NAMES) == view().joints.shape[1]
