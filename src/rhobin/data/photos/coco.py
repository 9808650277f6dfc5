"""Regions of a photograph in COCO's JSON: instances, and lists of results."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rhobin.data.images.decode import size_text
from rhobin.data.photos.coco_names import COCO_IDS
from rhobin.data.photos.photo import Photo
from rhobin.data.photos.regions import Region, RegionError, Size, fill_polygon, listing, numbers, short
from rhobin.data.photos.rle import fill_runs


def is_coco(content: Any) -> bool:
    """Whether the content of a JSON file has the keys of COCO's instances."""
    return isinstance(content, dict) and {"images", "annotations"} <= set(content)


def instance_regions(content: dict[str, Any], photo: Photo) -> list[Region]:
    """Regions of a photograph among COCO's instances.

    Args:
        content: of the file: `images`, `annotations` and perhaps `categories`.
        photo: found by its file name.

    Raises:
        RegionError: the photograph is not among the images, or something of it cannot be used.
    """
    image = find_image(content, photo)
    if image is None:
        names = [str(entry.get("file_name")) for entry in entries(content, "images")]
        raise RegionError(
            f"images: found {listing(names)}; expected one whose file_name is {photo.file.name}. Give the "
            "file that has it, or rename the photograph"
        )
    return _of_image(entries(content, "annotations"), image["id"], names_of(content))


def result_regions(content: list[Any], photo: Photo, beside: Iterable[dict[str, Any]]) -> list[Region]:
    """Regions of a photograph in a list of results: `image_id`, `category_id`, `segmentation`, `score`.

    Args:
        content: of the file.
        photo: found by its file name.
        beside: contents of the instances files in the same folder, any of which may tell the image's id.
            Without one: the only image that has results, or the one whose id is the photograph's name.

    Raises:
        RegionError: it cannot be told which results are of the photograph, or one of them cannot be used.
    """
    results = entries({"results": content}, "results")
    for instances in beside:
        if image := find_image(instances, photo):
            return _of_image(results, image["id"], names_of(instances))
    ids = {str(entry.get("image_id")): entry.get("image_id") for entry in results}
    own = [known for text, known in ids.items() if _plain(text) == _plain(photo.file.stem)]
    if len(own or ids) != 1:
        raise RegionError(
            f"image_id: found {len(ids)} images, none called {photo.file.stem}; expected the id of "
            f"{photo.file.name}. Put the instances file whose images name it into the same folder"
        )
    return _of_image(results, (own or list(ids.values()))[0], dict(COCO_IDS))


def find_image(content: dict[str, Any], photo: Photo) -> dict[str, Any] | None:
    """The entry of `images` with a photograph's file name; None where there is none.

    Raises:
        RegionError: several have it, it has no id, or it is of another size.
    """
    paths = [(_path(entry.get("file_name")), entry) for entry in entries(content, "images")]
    named = [(path, entry) for path, entry in paths if path.name == photo.file.name]
    whole = photo.file.resolve().parts
    exact = [(path, entry) for path, entry in named if path.parts == whole[-len(path.parts) :]]
    found = exact if len(named) > 1 and exact else named
    if len(found) > 1:
        raise RegionError(
            f"images: {len(found)} are called {photo.file.name}; expected one. Give one of this folder"
        )
    if not found:
        return None
    image = found[0][1]
    _check_image(image, photo)
    return image


def names_of(content: dict[str, Any]) -> dict[Any, str]:
    """Names of categories by id, lower case; COCO's own where the file has none."""
    if not content.get("categories"):
        return dict(COCO_IDS)
    found = entries(content, "categories")
    return {entry["id"]: str(entry.get("name")).lower() for entry in found if _is_id(entry.get("id"))}


def entries(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects of a JSON file.

    Raises:
        RegionError: it is something else.
    """
    found = content[key]
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RegionError(f"{key}: found {short(found)}; expected a list of objects. Export the file again")
    return found


def _of_image(annotations: list[dict[str, Any]], image: Any, names: dict[Any, str]) -> list[Region]:
    own = [(number, entry) for number, entry in enumerate(annotations) if entry.get("image_id") == image]
    return [_region(entry, entry.get("id", f"number {number}"), names) for number, entry in own]


def _region(entry: dict[str, Any], label: Any, names: dict[Any, str]) -> Region:
    where, category, score = f"annotation {label}", entry.get("category_id"), entry.get("score", 1.0)
    if not _is_id(category):
        raise RegionError(f"{where}: category_id is {short(category)}; expected an id. Export the file again")
    if type(score) not in (int, float):
        raise RegionError(f"{where}: score is {short(score)}; expected a number. Export the file again")
    draw = partial(_draw, entry.get("segmentation"), f"{where}: segmentation")
    return Region(
        (names.get(category, f"category {category}"),), where, draw, score, bool(entry.get("iscrowd"))
    )


def _draw(value: Any, where: str, size: Size) -> np.ndarray:
    """Pixels of a segmentation, (H, W) bool."""
    if isinstance(value, dict):
        return fill_runs(value, where, size)
    if not isinstance(value, list) or not value:
        raise RegionError(
            f"{where}: found {short(value)}; expected a list of polygons, or run lengths. Draw its outline"
        )
    pixels = np.zeros(size[::-1], bool)
    for polygon in value:
        corners = numbers(polygon, where)
        if len(corners) < 6 or len(corners) % 2:
            raise RegionError(
                f"{where}: found a polygon of {len(corners)} numbers; expected x, y of three corners or "
                "more. Export the file again"
            )
        pixels |= fill_polygon(corners.reshape(-1, 2), size)
    return pixels


def _check_image(image: dict[str, Any], photo: Photo) -> None:
    name, size = photo.file.name, (image.get("width"), image.get("height"))
    if not _is_id(image.get("id")):
        raise RegionError(
            f"images: {name}: id is {short(image.get('id'))}; expected one. Export the file again"
        )
    if None not in size and size != photo.size:
        upright = " as shown upright" if photo.exif.orientation > 4 else ""
        raise RegionError(
            f"images: {name}: width and height are {size[0]}x{size[1]}; expected {size_text(photo.size)}, "
            f"the size of {photo.file}{upright}. Annotate this very image"
        )


def _path(name: Any) -> PurePosixPath:
    return PurePosixPath(str(name).replace("\\", "/"))


def _is_id(value: Any) -> bool:
    return type(value) in (int, str)


def _plain(text: str) -> str:
    """A name or number without the zeros before it: COCO's photographs are called 000000000139.jpg."""
    return Path(text).name.lstrip("0")
