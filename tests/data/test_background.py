"""Backgrounds: rooms are emptied, holes are filled, folders are checked, subjects stay."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from damage_kinds import huge

from rhobin.data.augment.background import Backgrounds, list_images, replace_background
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.rooms import empty_room, fill_holes, freest_square
from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import Patch

SIZE = 96
WHOLE = (np.full(2, SIZE / 2 - 0.5), float(SIZE))
ROOM = cv2.resize(np.random.default_rng(3).integers(0, 256, (12, 12, 3), dtype=np.uint8), (SIZE, SIZE))


def view(box, light=0):
    """The room with someone in a box x0, y0, x1, y1; their shadow darkens it round about."""
    x0, y0, x1, y1 = box
    color = np.clip(ROOM.astype(int) + light, 0, 255).astype(np.uint8)
    color[y0:y1, x0:x1] = (255, 0, 255)
    masks = np.zeros((2, SIZE, SIZE), np.uint8)
    masks[0, y0:y1, x0:x1] = 255
    color, person, obj = (Patch(pixels, np.eye(3)) for pixels in (color, *masks))
    return DecodedView(color, (person, obj), np.full(2, SIZE / 2 - 0.5), float(SIZE), (SIZE, SIZE))


def test_a_room_is_emptied_with_the_other_views_of_its_camera():
    room = empty_room(view((20, 20, 50, 90)), iter([view((60, 10, 80, 90))]), WHOLE, SIZE)
    assert np.abs(room.astype(int) - ROOM).max() <= 1


def test_differences_in_light_leave_no_seam():
    room = empty_room(view((20, 20, 50, 90)), [view((60, 10, 80, 90), light=-12)], WHOLE, SIZE)
    clipped = cv2.dilate((ROOM.min(axis=-1) < 12).astype(np.uint8), np.ones((9, 9)))
    assert np.abs(room.astype(int) - ROOM)[clipped == 0].max() <= 3


def test_nobody_stays_in_a_room_even_if_no_view_shows_what_is_behind():
    everyone = [view((20, 20, 50, 90)), view((30, 30, 60, 90)), view((25, 10, 45, 80))]
    room = empty_room(everyone[0], everyone[1:], WHOLE, SIZE)
    hole = room[30:80, 30:45].astype(int)
    assert not ((hole[..., 0] > 220) & (hole[..., 1] < 30) & (hole[..., 2] > 220)).any()


def test_views_are_read_until_little_is_missing():
    read = []

    def others():
        for box in ((60, 10, 80, 90), (1, 1, 9, 9)):
            read.append(box)
            yield view(box)

    empty_room(view((20, 20, 50, 90)), others(), WHOLE, SIZE)
    assert len(read) == 1


def test_windows_keep_clear_of_people():
    """A person fills the left half: windows of half the width end up in the right one."""
    someone = replace(view((0, 0, 50, 96)), side=40.0)
    for seed in range(10):
        centre, side = freest_square(np.random.default_rng(seed), someone)
        assert 28 <= side <= 44
        assert (centre - side / 2 >= -0.5).all()
        assert (centre + side / 2 <= SIZE - 0.5).all()
        assert centre[0] - side / 2 > 40
    large = replace(view((0, 0, 50, 96)), side=500.0)
    assert freest_square(np.random.default_rng(0), large)[1] == SIZE


def test_a_window_is_found_on_a_shrunk_patch():
    someone = replace(view((0, 0, 50, 96)), side=400.0, size=(960, 960))
    scaled = np.array([[0.1, 0, -0.45], [0, 0.1, -0.45], [0, 0, 1]])
    color, person, obj = (replace(patch, from_image=scaled) for patch in (someone.color, *someone.masks))
    scaled_view = replace(someone, color=color, masks=(person, obj))
    centre, side = freest_square(np.random.default_rng(0), scaled_view)
    plain, length = freest_square(np.random.default_rng(0), replace(someone, side=40.0))
    assert side == 10 * length
    assert np.allclose(centre, 10 * plain + 4.5)


def test_holes_are_filled_smoothly():
    rows, columns = np.indices((64, 64), dtype=np.float32)
    ramp = np.stack([columns, rows, columns + rows], axis=-1)
    known = np.ones((64, 64), bool)
    known[20:40, 24:36] = False
    filled = fill_holes(np.where(known[..., None], ramp, 999), known)
    assert np.array_equal(filled[known], ramp[known])
    assert np.abs(filled - ramp)[~known].max() < 12
    assert np.abs(filled - ramp)[~known].mean() < 4
    assert not fill_holes(ramp, np.zeros((64, 64), bool)).any()
    assert np.allclose(fill_holes(np.full((7, 5, 3), 3, np.float32), np.indices((7, 5))[0] == 6), 3)


def test_person_and_object_stay_as_they_are():
    masks = np.zeros((2, SIZE, SIZE), np.uint8)
    masks[0, 10:60, 10:40] = masks[1, 30:80, 50:90] = 255
    result = replace_background(ROOM, *masks, np.full_like(ROOM, 255) - ROOM)
    inner = cv2.erode(masks.max(axis=0), np.ones((3, 3))) > 0
    outer = cv2.dilate(masks.max(axis=0), np.ones((3, 3))) == 0
    assert np.array_equal(result[inner], ROOM[inner])
    assert np.array_equal(result[outer], 255 - ROOM[outer])


def lone():
    return Donors(["Date01_a"], [0], lambda index: view((0, 0, 9, 9)))


def test_a_folder_of_images_is_searched_and_drawn_from(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, level in (("a.jpg", 50), ("sub/b.PNG", 200), ("sub/notes.txt", 0)):
        if name.endswith("txt"):
            (tmp_path / name).write_text("not an image")
        else:
            coded = cv2.imencode(name[-4:].lower(), np.full((40, 60, 3), level, np.uint8))[1]
            (tmp_path / name).write_bytes(coded.tobytes())
    source = Backgrounds(str(tmp_path), lone())
    drawn = [source.draw(np.random.default_rng(seed), 0, 32) for seed in range(20)]
    assert {name for _, name in drawn} == {"a.jpg", "b.PNG"}
    assert all(image.shape == (32, 32, 3) for image, _ in drawn)
    assert {round(float(image.mean()), -1) for image, _ in drawn} == {50, 200}


def test_broken_images_of_a_folder_are_passed_over(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"nothing")
    for suffix in (".jpg", ".png"):
        (tmp_path / f"c{suffix}").write_bytes(huge(suffix))
    (tmp_path / "._a.jpg").write_bytes((tmp_path / "c.jpg").read_bytes())
    (tmp_path / "k0.depth.png").write_bytes((tmp_path / "c.png").read_bytes())
    assert [file.name for file in list_images(tmp_path)] == ["a.jpg", "b.jpg", "c.jpg", "c.png"]
    assert Backgrounds(str(tmp_path), lone()).draw(np.random.default_rng(0), 0, 32) is None


def test_a_missing_or_empty_folder_says_what_to_set(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none; set data.augment"):
        list_images(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"holds no image; set data.augment.background_from"):
        Backgrounds(str(tmp_path), lone())


@pytest.mark.parametrize("source", ["plain", "noise", "rooms"])
def test_every_source_gives_squares_or_nothing(source):
    found = Backgrounds(source, lone()).draw(np.random.default_rng(0), 0, 40)
    if source == "rooms":
        assert found is None  # there is only one room
    else:
        assert found[0].shape == (40, 40, 3)
        assert found[0].dtype == np.uint8


def test_other_rooms_are_other_cameras_or_dates():
    def load(index):
        return replace(view((0, 0, 9, 9)), side=float(index))

    donors = Donors(["Date01_a", "Date01_b", "Date02_a", "Date01_b"], [0, 0, 0, 1], load)
    found = {donors.elsewhere(np.random.default_rng(seed), 0, donors.room)[0] for seed in range(40)}
    assert found == {2, 3}
    mates = [[c.side for c in donors.same_room(np.random.default_rng(seed), 0, 3)] for seed in range(3)]
    assert mates == [[1.0]] * 3
