"""What users point at: masks that are arrays, boxes that overlap, masks of two people, names of files."""

import cv2
import numpy as np
import pytest
from data_samples import sample_config

from rhobin.data.photos.apart import lies_apart
from rhobin.data.photos.beside import frame_masks, mask_beside
from rhobin.data.photos.inputs import list_inputs
from rhobin.data.photos.photo import PhotoError, read_photo
from rhobin.data.photos.pointer import Pointer, Told
from rhobin.data.photos.subject import find_subject


@pytest.fixture
def scene(tmp_path):
    """A photograph of a red person behind a blue object, and the true masks of both."""
    rng = np.random.default_rng(0)
    image, person, obj = rng.normal((40, 120, 60), 6, (300, 400, 3)), *np.zeros((2, 300, 400), bool)
    person[60:260, 150:230] = True
    obj[150:220, 200:300] = True
    person &= ~obj
    image[person] = rng.normal((60, 70, 200), 6, (person.sum(), 3))
    image[obj] = rng.normal((220, 200, 40), 6, (obj.sum(), 3))
    cv2.imwrite(str(tmp_path / "photo.png"), image.clip(0, 255))
    return read_photo(tmp_path / "photo.png"), person, obj


def overlap(found, box, truth):
    whole = np.zeros(truth.shape, bool)
    x, y, width, height = box.astype(int)
    whole[y : y + height, x : x + width] = found > 0
    return (whole & truth).sum() / (whole | truth).sum()


def test_of_two_boxes_the_smaller_one_has_the_pixels_that_both_claim(scene):
    photo, person, obj = scene
    pointer = Pointer(Told((140.0, 50, 100, 220)), Told((195.0, 145, 110, 80)))
    source = find_subject(photo, pointer, sample_config()).source
    assert overlap(source.masks[0], source.boxes[0], person) > 0.95
    assert overlap(source.masks[1], source.boxes[1], obj) > 0.95


def test_masks_may_be_arrays(scene):
    photo, person, obj = scene
    pointer = Pointer(Told(mask=person, name="drawn"), Told(mask=obj.astype(np.uint8) * 200))
    subject = find_subject(photo, pointer, sample_config())
    assert subject.how == {"person": "mask drawn", "object": "mask "}
    assert subject.source.boxes.tolist() == [[150, 60, 80, 200], [200, 150, 100, 70]]
    for part, truth in enumerate((person, obj)):
        assert overlap(subject.source.masks[part], subject.source.boxes[part], truth) == 1
    with pytest.raises(PhotoError, match="drawn: mask is 400x299; expected 400x300"):
        find_subject(
            photo, Pointer(Told(mask=person[1:], name="drawn")), sample_config(reads={"parts": ("human",)})
        )


def test_what_the_network_predicts_has_to_be_pointed_at(scene):
    photo, person, obj = scene
    for parts, pointer, message in (
        (("human",), Pointer(object=Told(mask=obj)), "no person is pointed at.*give --mask FILE or --box"),
        (
            ("object",),
            Pointer(Told(mask=person)),
            "no object is pointed at.*--object-mask FILE or --object-box",
        ),
        (
            ("human", "object"),
            Pointer(Told(mask=person)),
            "predicts the person and the object; give --object-m",
        ),
    ):
        with pytest.raises(PhotoError, match=message):
            find_subject(photo, pointer, sample_config(reads={"parts": parts}))
    alone = sample_config(reads={"parts": ("object",), "crop": "object", "planes": ("color",)})
    subject = find_subject(photo, Pointer(object=Told(mask=obj)), alone)
    assert (list(subject.how), subject.notes) == (["object"], ())


def test_two_people_in_a_mask_are_seen_and_one_behind_a_table_is_not():
    two, cut, specks = np.zeros((3, 100, 200), np.uint8)
    two[10:90, 10:40] = two[20:90, 130:160] = 255
    cut[10:50, 60:90] = cut[60:90, 60:90] = 255
    specks[10:90, 10:40] = specks[50:56, 180:186] = 255
    assert lies_apart(two)
    assert not lies_apart(cut)
    assert not lies_apart(specks)
    assert not lies_apart(np.full((5, 5), 255, np.uint8))


def test_folders_give_their_images_in_order_and_count_the_rest(tmp_path):
    folder, bare = tmp_path / "photos", tmp_path / "bare"
    (folder / "further").mkdir(parents=True)
    bare.mkdir()
    for name in ("b.JPG", "a.png", "notes.txt", "clip.mp4"):
        (folder / name).touch()
    inputs = list_inputs([tmp_path / "z.jpg", folder, tmp_path / "clip.MP4", tmp_path / "odd.xyz", bare])
    assert [file.name for file in inputs.images] == ["z.jpg", "a.png", "b.JPG", "odd.xyz"]
    assert [file.name for file in inputs.videos] == ["clip.MP4"]
    assert (inputs.ignored, inputs.count, len(inputs.faults)) == (2, 6, 1)
    assert "no image" in inputs.faults[0]


def test_masks_of_a_video_are_found_by_the_number_of_the_frame(tmp_path):
    for name in ("000000.png", "7.png", "notes.png", "000001.txt"):
        (tmp_path / name).touch()
    assert {number: file.name for number, file in frame_masks(tmp_path / "clip.mp4", tmp_path).items()} == {
        0: "000000.png",
        7: "7.png",
    }
    (tmp_path / "clip").mkdir()
    with pytest.raises(PhotoError, match=r"found no mask in .*clip; expected files named by the number"):
        frame_masks(tmp_path / "clip.mp4", tmp_path)
    for name in ("000002.png", "2.jpg"):
        (tmp_path / "clip" / name).touch()
    with pytest.raises(PhotoError, match=r"2\.jpg: .*000002\.png is of the same frame"):
        frame_masks(tmp_path / "clip.mp4", tmp_path)


def test_a_mask_in_the_folder_of_its_photograph_is_another_file(tmp_path):
    for name in ("a.jpg", "a.png"):
        (tmp_path / name).touch()
    assert mask_beside(tmp_path / "a.jpg", tmp_path, True) == tmp_path / "a.png"
    assert mask_beside(tmp_path / "b.jpg", tmp_path, False) is None
    with pytest.raises(PhotoError, match=r"found none in .*; expected one mask b\.png there"):
        mask_beside(tmp_path / "b.jpg", tmp_path, True)
