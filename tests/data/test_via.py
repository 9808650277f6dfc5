"""Masks of the VGG Image Annotator: projects and exports, shapes, names of regions."""

import cv2
import numpy as np
import pytest
from mask_photo import SIZE, rectangle, write_json, write_photo

from rhobin.data.photos.mask_files import read_masks
from rhobin.data.photos.photo import PhotoError
from rhobin.data.photos.regions import fill_ellipse

RECT = {"name": "rect", "x": 3, "y": 4, "width": 10, "height": 20}
POLYGON = {"name": "polygon", "all_points_x": [20, 28, 28, 20], "all_points_y": [10, 10, 19, 19]}


def region(shape, **attributes):
    return {"shape_attributes": shape, "region_attributes": attributes}


def export(*regions, name="photo.png"):
    return {f"{name}99": {"filename": name, "size": 99, "regions": list(regions), "file_attributes": {}}}


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path)


def test_an_export_and_a_project_say_the_same(photo, tmp_path):
    images = export(region(RECT, label="Person"), region(POLYGON, kind="chair", colour="")) | export(
        name="b.png"
    )
    project = {"_via_settings": {}, "_via_img_metadata": images, "_via_attributes": {"region": {}}}
    for content in (images, project):
        found = read_masks(write_json(tmp_path, content), photo)
        assert np.array_equal(found["person"].pixels, rectangle(3, 4, 10, 20) * np.uint8(255))
        assert np.array_equal(found["object"].pixels, rectangle(20, 10, 8, 9) * np.uint8(255))
        assert (found["object"].name, found["person"].name) == ("chair", "person")
        assert found["object"].how == f"region 2 of {tmp_path / 'masks.json'}"


def test_options_are_read_by_their_text(photo, tmp_path):
    options = {"type": "dropdown", "options": {"1": "person", "2": "chair", "chairwood": ""}}
    attributes = {"region": {"what": options, "ticked": {"type": "checkbox", "options": {"a": "seen"}}}}
    regions = (region(RECT, what="1"), region(POLYGON, what="chairwood", ticked={"a": True, "b": False}))
    project = {"_via_img_metadata": export(*regions), "_via_attributes": attributes}
    found = read_masks(write_json(tmp_path, project), photo)
    assert found["object"].name == "chairwood, seen"
    assert np.array_equal(found["person"].pixels > 0, rectangle(3, 4, 10, 20))


def test_circles_and_ellipses_are_turned_as_via_turns_them(photo, tmp_path):
    circle = {"name": "circle", "cx": 20, "cy": 15, "r": 6.5}
    ellipse = {"name": "ellipse", "cx": 20, "cy": 15, "rx": 12, "ry": 5, "theta": 0.6}
    images = export(region(circle, label="person"), region(ellipse, label="chair"))
    found = read_masks(write_json(tmp_path, images), photo)
    for part, radii, angle in (("person", (6.5, 6.5), 0), ("object", (12, 5), 0.6)):
        truth = np.zeros((300, 400), np.uint8)  # ten times the size; OpenCV turns clockwise as seen, like VIA
        axes = tuple(round(10 * radius) for radius in radii)
        cv2.ellipse(truth, (200, 150), axes, np.degrees(angle), 0, 360, 255, -1)
        share = cv2.resize(truth, SIZE, interpolation=cv2.INTER_AREA)
        clear = (share < 40) | (share > 215)
        assert np.array_equal((found[part].pixels > 0)[clear], (share > 127)[clear])
    assert fill_ellipse(np.array([20.0, 15]), np.array([2.0, 3]), 0.0, SIZE).sum() == pytest.approx(
        6 * np.pi, 0.2
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (export(region(RECT, label="person"), name="b.png"), r"0 images are called photo\.png, found b\.png"),
        ({"_via_img_metadata": {"a": 3}}, "_via_img_metadata: found {'a': 3}; expected images"),
        (
            export(region(RECT, label=" ")),
            "region 1: region_attributes: found {'label': ' '}; expected a name",
        ),
        (export({"region_attributes": {}}), "expected shape_attributes"),
        (
            export(region({**POLYGON, "name": "polyline"}, a="person")),
            "shape is 'polyline'; expected a polygon",
        ),
        (export(region({"name": "point", "cx": 3, "cy": 4}, a="person")), "shape is 'point'"),
        (export(region({**POLYGON, "all_points_x": [1, 2]}, a="person")), "polygon of 2 x and 4 y"),
        (export(region({**POLYGON, "all_points_x": "1"}, a="person")), "all_points_x: found '1'"),
        (export(region({**RECT, "width": None}, a="person")), "width, height of its rect: found"),
        (
            export(region({"name": "circle", "cx": 1, "cy": 1, "r": 0}, a="person")),
            "radius is 0; expected more",
        ),
        (export(), r"person: found no region for photo\.png; expected a region called person"),
        (
            export(region(RECT, a="person"), region(POLYGON, a="person")),
            "found 2, in the boxes 3,4,10,20 and 20",
        ),
    ],
)
def test_what_cannot_be_used_is_named(photo, tmp_path, content, said):
    file = write_json(tmp_path, content)
    with pytest.raises(PhotoError, match=said) as error:
        read_masks(file, photo, ("person",))
    assert str(error.value).startswith(f"{file}: ")
