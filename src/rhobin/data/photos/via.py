"""Regions of a photograph in the JSON of the VGG Image Annotator, version 2: a project or its annotations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from rhobin.data.photos.photo import Photo
from rhobin.data.photos.regions import (
    Region,
    RegionError,
    Size,
    fill_ellipse,
    fill_polygon,
    listing,
    numbers,
    short,
)

PROJECT = "_via_img_metadata"
Options = Mapping[str, Mapping[str, str]]
"""Texts of an attribute's options by their id."""


def is_via(content: Any) -> bool:
    """Whether the content of a JSON file is a project of VIA, or annotations that it exported."""
    if not isinstance(content, dict):
        return False
    found = content.get(PROJECT, content)
    images = list(found.values()) if isinstance(found, dict) else []
    return PROJECT in content or (bool(images) and all(_is_image(entry) for entry in images))


def via_regions(content: dict[str, Any], photo: Photo) -> list[Region]:
    """Regions of a photograph, found by its file name.

    Raises:
        RegionError: the photograph is not in the file, or a region has no name.
    """
    images = content.get(PROJECT, content)
    if not isinstance(images, dict) or not all(_is_image(entry) for entry in images.values()):
        raise RegionError(
            f"{PROJECT}: found {short(images)}; expected images with filename and regions. Save it again"
        )
    own = [entry for entry in images.values() if _name(entry["filename"]) == photo.file.name]
    if len(own) != 1:
        names = sorted({str(entry["filename"]) for entry in images.values()})
        raise RegionError(
            f"filename: {len(own)} images are called {photo.file.name}, found {listing(names)}; expected "
            "one. Give the file that has it, or rename the photograph"
        )
    regions, options = own[0]["regions"], _options(content.get("_via_attributes"))
    listed = list(regions.values()) if isinstance(regions, dict) else regions
    return [_region(entry, f"region {number}", options) for number, entry in enumerate(listed, 1)]


def _region(entry: Any, where: str, options: Options) -> Region:
    shape = entry.get("shape_attributes") if isinstance(entry, dict) else None
    if not isinstance(shape, dict):
        raise RegionError(f"{where}: found {short(entry)}; expected shape_attributes. Export the file again")
    told = entry.get("region_attributes")
    names = _names(told if isinstance(told, dict) else {}, options)
    if not names:
        raise RegionError(
            f"{where}: region_attributes: found {short(told)}; expected a name such as person. Name it in VIA"
        )
    return Region(names, where, partial(_draw, shape, where))


def _names(told: dict[str, Any], options: Options) -> tuple[str, ...]:
    """Every text that the attributes of a region say: of a field, the chosen option, the ticked boxes."""
    found = []
    for key, value in told.items():
        texts = [text for text, ticked in value.items() if ticked] if isinstance(value, dict) else [value]
        known = options.get(key, {})
        found += [known.get(text, text) for text in texts if isinstance(text, str)]
    return tuple(text.strip().lower() for text in found if text.strip())


def _options(attributes: Any) -> Options:
    regions = attributes.get("region", {}) if isinstance(attributes, dict) else {}
    found = {key: value.get("options") for key, value in regions.items() if isinstance(value, dict)}
    return {
        key: {text: name for text, name in known.items() if isinstance(name, str) and name.strip()}
        for key, known in found.items()
        if isinstance(known, dict)
    }


def _draw(shape: dict[str, Any], where: str, size: Size) -> np.ndarray:
    """Pixels of a shape, (H, W) bool."""
    kind = shape.get("name")

    def read(*keys: str) -> np.ndarray:
        return numbers([shape.get(key) for key in keys], f"{where}: {', '.join(keys)} of its {kind}")

    if kind == "polygon":
        axes = [numbers(shape.get(key), f"{where}: {key}") for key in ("all_points_x", "all_points_y")]
        if len(axes[0]) != len(axes[1]) or len(axes[0]) < 3:
            raise RegionError(
                f"{where}: polygon of {len(axes[0])} x and {len(axes[1])} y; expected as many of each, three "
                "or more. Export the file again"
            )
        return fill_polygon(np.stack(axes, axis=1), size)
    if kind == "rect":
        x, y, width, height = read("x", "y", "width", "height")
        return fill_polygon(
            np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)]), size
        )
    if kind == "circle":
        return fill_ellipse(read("cx", "cy"), np.repeat(_radii(read("r"), where), 2), 0.0, size)
    if kind == "ellipse":
        angle = read("theta")[0] if "theta" in shape else 0.0
        return fill_ellipse(read("cx", "cy"), _radii(read("rx", "ry"), where), angle, size)
    raise RegionError(
        f"{where}: shape is {short(kind)}; expected a polygon, rect, circle or ellipse, which have an "
        "inside. Draw it as a polygon"
    )


def _radii(radii: np.ndarray, where: str) -> np.ndarray:
    if (radii <= 0).any():
        raise RegionError(f"{where}: radius is {radii.min():g}; expected more than 0. Draw the region again")
    return radii


def _is_image(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("filename"), str)
        and isinstance(entry.get("regions"), list | dict)
    )


def _name(filename: str) -> str:
    return PurePosixPath(filename.replace("\\", "/")).name
