"""Masks of COCO's JSON: polygons, run lengths, results, and which image of a file is meant."""

import copy

import numpy as np
import pytest
from mask_photo import SIZE, compress, corners, rectangle, rle, runs_of, write_json, write_photo

from rhobin.data.photos.coco_names import COCO_IDS, COCO_OBJECTS
from rhobin.data.photos.mask_files import read_masks
from rhobin.data.photos.photo import PhotoError
from rhobin.data.photos.regions import RegionError, fill_polygon
from rhobin.data.photos.rle import fill_runs, unpack_counts

PERSON, CHAIR = rectangle(3, 4, 10, 20), rectangle(20, 10, 8, 9)
INSTANCES = {
    "images": [
        {"id": 8, "file_name": "other.png", "width": 99, "height": 99},
        {"id": 7, "file_name": "train\\photo.png", "width": 40, "height": 30},
    ],
    "categories": [{"id": 1, "name": "Person"}, {"id": 62, "name": "chair"}, {"id": 5, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 8, "category_id": 1, "segmentation": [corners(0, 0, 5, 5)], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 1, "segmentation": [corners(3, 4, 10, 20)], "iscrowd": 0},
        {"id": 3, "image_id": 7, "category_id": 62, "segmentation": rle(CHAIR), "iscrowd": 0},
    ],
}


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path)


def changed(number, **changes):
    content = copy.deepcopy(INSTANCES)
    content["annotations"][number].update(changes)
    return content


def added(**annotation):
    return {**INSTANCES, "annotations": [*INSTANCES["annotations"], {"image_id": 7, **annotation}]}


def test_polygons_cover_the_pixels_whose_centres_they_hold():
    draw = pytest.importorskip("skimage.draw")
    rng = np.random.default_rng(1)
    for _ in range(20):
        around = np.sort(rng.uniform(0, 2 * np.pi, 9))
        points = np.array(SIZE) / 2 + rng.uniform(5, 25, (9, 1)) * np.stack(
            [np.cos(around), np.sin(around)], 1
        )
        truth = draw.polygon2mask(SIZE[::-1], points[:, ::-1] - 0.5)
        assert np.array_equal(fill_polygon(points, SIZE), truth)
    whole = fill_polygon(np.array([(-9.0, -9), (99, -9), (99, 99), (-9, 99)]), SIZE)
    assert whole.all()


def test_instances_give_the_person_and_the_object(photo, tmp_path):
    found = read_masks(write_json(tmp_path, INSTANCES), photo)
    assert np.array_equal(found["person"].pixels, PERSON * np.uint8(255))
    assert np.array_equal(found["object"].pixels, CHAIR * np.uint8(255))
    assert (found["person"].name, found["object"].name) == ("person", "chair")
    assert "annotation 2 of " in found["person"].how
    assert read_masks(write_json(tmp_path, INSTANCES), photo, ("person",)).keys() == {"person"}


def test_several_polygons_are_one_thing(photo, tmp_path):
    pieces = [corners(0, 0, 4, 5), corners(2, 2, 6, 7)]
    found = read_masks(write_json(tmp_path, changed(1, segmentation=pieces)), photo, ("person",))
    assert np.array_equal(found["person"].pixels > 0, rectangle(0, 0, 4, 5) | rectangle(2, 2, 6, 7))


@pytest.mark.parametrize("density", [0.02, 0.5, 0.98])
def test_run_lengths_go_down_the_columns(density):
    mask = np.random.default_rng(3).random(SIZE[::-1]) < density
    assert np.array_equal(fill_runs(rle(mask), "", SIZE), mask)
    assert np.array_equal(fill_runs(rle(mask, compressed=True), "", SIZE), mask)


def test_run_lengths_made_by_hand():
    mask = np.array([[0, 0, 1], [1, 0, 1]], bool)  # columns: 01, 00, 11
    assert runs_of(mask) == [1, 1, 2, 2]
    assert np.array_equal(fill_runs({"size": [2, 3], "counts": [1, 1, 2, 2]}, "", (3, 2)), mask)
    assert unpack_counts("1121", "") == [1, 1, 2, 2]  # the fourth is told as 2 - 1
    assert unpack_counts("0`0", "") == [0, 16]  # 16 needs a second group, or it would be below 0
    assert unpack_counts("000O", "") == [0, 0, 0, -1]
    counts = [0, 1200, 5, 3, 100000, 2, 70000, 2]
    assert unpack_counts(compress(counts), "") == counts


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"size": [40, 30], "counts": [1200]}, r"size is \[40, 30\]; expected \[30, 40\], height and width"),
        ({"size": [30, 40], "counts": [1100]}, "add up to 1100 pixels; expected 1200"),
        ({"size": [30, 40], "counts": [1201, -1]}, "expected whole numbers"),
        ({"size": [30, 40], "counts": [1200.0]}, "expected whole numbers"),
        ({"size": [30, 40], "counts": "~"}, "the character '~'"),
        ({"size": [30, 40], "counts": "`"}, "end inside a number"),
        ({"size": [30, 40]}, "counts are None"),
    ],
)
def test_bad_run_lengths_are_refused(value, said):
    with pytest.raises(RegionError, match=said):
        fill_runs(value, "annotation 3: segmentation", SIZE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**INSTANCES, "images": INSTANCES["images"][:1]}, r"found other\.png; expected one .* photo\.png"),
        ({**INSTANCES, "images": INSTANCES["images"][1:] * 2}, r"images: 2 are called photo\.png"),
        ({**INSTANCES, "images": [{**INSTANCES["images"][1], "width": 41}]}, "are 41x30; expected 40x30"),
        ({**INSTANCES, "images": [{"file_name": "photo.png"}]}, r"photo\.png: id is None"),
        ({**INSTANCES, "annotations": {}}, "annotations: found {}; expected a list"),
        (changed(1, segmentation=[]), r"annotation 2: segmentation: found \[\]; expected a list of polygons"),
        (changed(1, segmentation=[[1, 2, 3, 4]]), "a polygon of 4 numbers"),
        (changed(1, segmentation=[[1, 2, "3", 4, 5, 6]]), "expected a list of numbers"),
        (changed(1, segmentation=[[1, 2, 10**400, 4, 5, 6]]), "expected a list of numbers"),
        (changed(1, segmentation=[corners(50, 4, 9, 9)]), "no pixel of .*photo.png, which is 40x30"),
        (changed(1, category_id=None), "annotation 2: category_id is None"),
        (changed(1, category_id=5), "person: found dog, chair .*; expected a region called person"),
        (changed(1, score="high"), "score is 'high'"),
        (changed(1, score=0.2), r"found person \(score 0\.20\), chair .* with a score of 0\.5 or more"),
        (added(id=4, category_id=1, segmentation=rle(CHAIR)), r"3,4,10,20 and 20,10,8,9; .* --box X,Y,WIDTH"),
        (
            added(category_id=5, segmentation=rle(PERSON)),
            r"found chair .*, dog \(annotation number 3\)",
        ),
        (
            added(id=4, category_id=62, segmentation=rle(PERSON)),
            "found chair .annotation 3., chair",
        ),
    ],
)
def test_what_cannot_be_used_is_named(photo, tmp_path, content, said):
    file = write_json(tmp_path, content)
    with pytest.raises(PhotoError, match=said) as error:
        read_masks(file, photo)
    assert str(error.value).startswith(f"{file}: ")


def test_a_crowd_is_passed_over_where_there_is_something_else(photo, tmp_path):
    content = added(id=4, category_id=1, segmentation=rle(CHAIR), iscrowd=1)
    assert np.array_equal(read_masks(write_json(tmp_path, content), photo)["person"].pixels > 0, PERSON)
    alone = changed(1, iscrowd=1)  # as some tools mark every mask that they write as run lengths
    assert np.array_equal(read_masks(write_json(tmp_path, alone), photo)["person"].pixels > 0, PERSON)


def test_results_take_the_image_from_the_file_beside_them(photo, tmp_path):
    results = [
        {"image_id": 7, "category_id": 1, "segmentation": rle(PERSON, True), "score": 0.9},
        {"image_id": 7, "category_id": 1, "segmentation": rle(CHAIR, True), "score": 0.3},
        {"image_id": 7, "category_id": 62, "segmentation": rle(CHAIR, True), "score": 0.8},
        {"image_id": 8, "category_id": 1, "segmentation": "of another image", "score": 0.9},
    ]
    file = write_json(tmp_path, results, "results.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(PhotoError, match=r"found 2 images, none called photo; .* into the same folder"):
        read_masks(file, photo)
    write_json(tmp_path, INSTANCES, "instances.json")
    found = read_masks(file, photo)
    assert np.array_equal(found["person"].pixels > 0, PERSON)
    assert np.array_equal(found["object"].pixels > 0, CHAIR)


@pytest.mark.parametrize(("name", "ids"), [("photo.png", [139]), ("000000000139.png", [139, 140])])
def test_results_alone_are_of_their_only_image_or_of_the_photographs_number(tmp_path, name, ids):
    masks = (PERSON, CHAIR)
    results = [
        {"image_id": number, "category_id": 1, "segmentation": rle(masks[place]), "score": 1}
        for place, number in enumerate(ids)
    ]
    file = write_json(tmp_path, results)
    found = read_masks(file, write_photo(tmp_path, name), ("person",))
    assert np.array_equal(found["person"].pixels > 0, PERSON)


def test_the_ids_are_those_of_coco():
    detection = pytest.importorskip("torchvision.models.detection")
    names = detection.MaskRCNN_ResNet50_FPN_V2_Weights.DEFAULT.meta["categories"]
    assert {number: names[number] for number in COCO_IDS} == COCO_IDS
    assert set(COCO_OBJECTS) | {"person"} == set(COCO_IDS.values())
