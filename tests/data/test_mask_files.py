"""Files of masks: arrays, which of several is meant, and files that are none."""

import numpy as np
import pytest
from mask_photo import corners, rectangle, write_json, write_photo

from rhobin.data.photos.coco_names import shows
from rhobin.data.photos.mask_files import MASK_SUFFIXES, read_masks
from rhobin.data.photos.photo import PhotoError
from rhobin.objects.names import OBJECT_NAMES

PERSON, OBJECT = rectangle(3, 4, 10, 20), rectangle(20, 10, 8, 9)


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path)


def instances(*named):
    """COCO's instances: rectangles by name."""
    names = sorted({name for name, _ in named})
    return {
        "images": [{"id": 1, "file_name": "photo.png"}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": names.index(name), "segmentation": [corners(*box)]}
            for n, (name, box) in enumerate(named)
        ],
    }


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("white", [1, 255])
def test_arrays_of_any_kind_are_read(photo, tmp_path, kind, white):
    masks = {"person": (PERSON * white).astype(kind), "object": (OBJECT * white).astype(kind)}
    np.savez_compressed(tmp_path / "masks.npz", **masks, notes=np.array("drawn by hand"))
    found = read_masks(tmp_path / "masks.npz", photo)
    for part, truth in (("person", PERSON), ("object", OBJECT)):
        assert np.array_equal(found[part].pixels, truth * np.uint8(255))
        assert found[part].how == f"array {part} of {tmp_path / 'masks.npz'}"


def test_a_part_that_is_not_needed_may_be_missing(photo, tmp_path):
    np.savez(tmp_path / "masks.npz", object=OBJECT)
    assert read_masks(tmp_path / "masks.npz", photo, ("object",), ("person",)).keys() == {"object"}
    with pytest.raises(PhotoError, match=r"person: found object .*; expected a region called person"):
        read_masks(tmp_path / "masks.npz", photo)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"mask": PERSON}, r"arrays are mask; expected person, object, or both"),
        ({"person": PERSON.T}, r"person: shape is \(40, 30\); expected \(30, 40\), rows and columns"),
        ({"person": PERSON[None]}, r"shape is \(1, 30, 40\)"),
        ({"person": PERSON * 0.7}, r"found float64 from 0 to 0\.7; expected bool, 0 and 1, or 0 and 255"),
        ({"person": PERSON * 1 + OBJECT * 255}, "found int64 from 0 to 255; expected"),
        ({"person": np.full((30, 40), "x")}, "found <U1; expected bool"),
        ({"person": PERSON & OBJECT}, r"array person: no pixel of .* lies in it"),
        ({"person": np.array([None])}, "expected plain arrays of a complete .npz file"),
    ],
)
def test_arrays_that_are_no_masks_are_refused(photo, tmp_path, arrays, said):
    np.savez(tmp_path / "masks.npz", **arrays)
    with pytest.raises(PhotoError, match=said) as error:
        read_masks(tmp_path / "masks.npz", photo, ("person",))
    assert str(error.value).count("masks.npz") == 1


def test_other_files_are_refused(photo, tmp_path):
    (tmp_path / "cut.npz").write_bytes(b"PK\3\4")
    (tmp_path / "cut.json").write_text('{"images": [')
    write_json(tmp_path, {"shapes": [], "imagePath": "photo.png"}, "labelme.json")
    for name, said in (
        ("none.json", "no such file; expected a file of masks"),
        (".", "a folder; expected a file"),
        ("photo.png", r"suffix is '\.png'; expected \.npz or \.json"),
        ("cut.npz", "expected plain arrays"),
        ("cut.json", "no JSON: .*; expected a whole file"),
        ("labelme.json", "keys are shapes, imagePath; expected COCO's images, annotations and categories"),
    ):
        with pytest.raises(PhotoError, match=said):
            read_masks(tmp_path / name, photo)
    assert MASK_SUFFIXES == (".npz", ".json")


def test_a_box_chooses_among_people(photo, tmp_path):
    people = ("person", (3, 4, 10, 20)), ("person", (2, 2, 30, 27)), ("chair", (20, 10, 8, 9))
    file = write_json(tmp_path, instances(*people))
    for box, x in (((4, 5, 8, 16), 3), ((0, 0, 40, 30), 2)):
        found = read_masks(file, photo, box=box)
        assert np.flatnonzero(found["person"].pixels.any(axis=0))[0] == x
        assert found["object"].name == "chair"
    with pytest.raises(PhotoError, match=r"none of which overlaps with the box 36,0,4,4; .* Correct --box"):
        read_masks(file, photo, box=(36, 0, 4, 4))


@pytest.mark.parametrize(
    ("asked", "names", "taken"),
    [
        ("chairwood", ("dog", "chair", "tv"), "chair"),
        ("yogaball", ("sports ball", "chair"), "sports ball"),
        ("Monitor", ("tv", "keyboard"), "tv"),
        ("tablesmall", ("dining table", "tablesquare"), "dining table"),
        ("boxlarge", ("boxlarge", "boxsmall"), "boxlarge"),
        ("helmet", ("helmet", "chair"), "helmet"),
        ("basketball", ("thing", "chair"), "thing"),  # a name of no known object may be any
        ("chairblack", ("dog", "chair"), "chair"),
    ],
)
def test_the_object_that_is_asked_for_is_taken(photo, tmp_path, asked, names, taken):
    content = instances(("person", (3, 4, 10, 20)), *((name, (20, 10, 8, 9)) for name in names))
    found = read_masks(write_json(tmp_path, content), photo, asked=asked)
    assert found["object"].name == taken


@pytest.mark.parametrize(
    ("asked", "names", "said"),
    [
        (None, ("chair", "tv"), r"object: found chair \(annotation 1\), tv .*; expected one\. Name it with"),
        ("chairwood", ("chair", "chair"), r"found chair \(annotation 1\), chair \(annotation 2\)"),
        (
            "suitcase",
            ("chair", "tv"),
            "object: found person, chair, tv .*; expected a region called suitcase",
        ),
        ("suitcase", ("dog", "thing"), r"found dog \(annotation 1\), thing"),
    ],
)
def test_an_object_that_cannot_be_told_is_refused(photo, tmp_path, asked, names, said):
    content = instances(("person", (3, 4, 10, 20)), *((name, (20, 10, 8, 9)) for name in names))
    file = write_json(tmp_path, content)
    with pytest.raises(PhotoError, match=said):
        read_masks(file, photo, asked=asked)
    assert read_masks(file, photo, ("person",), asked=asked).keys() == {"person"}


def test_the_classes_of_coco_show_objects_of_behave():
    assert [name for name in OBJECT_NAMES if shows("chair", name)] == ["chairblack", "chairwood"]
    assert shows("tv", "monitor")
    assert not shows("monitor", "keyboard")
