"""Regions of a photograph in a file: arrays (NPZ), COCO's JSON, VIA's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.data.photos.coco import instance_regions, is_coco, result_regions
from rhobin.data.photos.photo import Photo
from rhobin.data.photos.regions import Region, RegionError, Size, short
from rhobin.data.photos.via import is_via, via_regions
from rhobin.files import read_json
from rhobin.pickles.load import BrokenFileError
from rhobin.pickles.npz import read_npz

PARTS = ("person", "object")


def read_regions(file: Path, photo: Photo) -> list[Region]:
    """Regions of a photograph in a file, by its suffix and what it holds.

    Raises:
        RegionError: it cannot be read, is of another kind, or does not have the photograph.
    """
    if not file.is_file():
        found = "a folder" if file.is_dir() else "no such file"
        raise RegionError(f"{found}; expected a file of masks. Check the path")
    if file.suffix.lower() == ".npz":
        return _arrays(file)
    if file.suffix.lower() != ".json":
        raise RegionError(f"suffix is {file.suffix!r}; expected .npz or .json. Convert or rename it")
    content = _content(file)
    if isinstance(content, list):
        return result_regions(content, photo, _instances_beside(file))
    if is_coco(content):
        return instance_regions(content, photo)
    if is_via(content):
        return via_regions(content, photo)
    keys = ", ".join(list(content)[:6]) if isinstance(content, dict) else short(content)
    raise RegionError(
        f"keys are {keys or 'none'}; expected COCO's images, annotations and categories, a list of COCO's "
        "results, or a project of VIA 2 or its annotations as JSON. Export it as one of these"
    )


def _arrays(file: Path) -> list[Region]:
    try:
        arrays = read_npz(file)
    except (BrokenFileError, OSError) as error:
        raise RegionError(str(error).removeprefix(f"{file}: ")) from error
    if not set(arrays) & set(PARTS):
        raise RegionError(
            f"arrays are {', '.join(arrays) or 'none'}; expected person, object, or both. Save them with "
            "numpy.savez(FILE, person=mask)"
        )
    parts = [part for part in PARTS if part in arrays]
    return [Region((part,), f"array {part}", partial(_pixels, part, arrays[part])) for part in parts]


def _pixels(part: str, array: np.ndarray, size: Size) -> np.ndarray:
    """A mask of an archive, (H, W) bool."""
    if array.shape != size[::-1]:
        raise RegionError(
            f"{part}: shape is {array.shape}; expected {size[::-1]}, rows and columns of the photograph. "
            "Make the mask of this very image"
        )
    values = np.unique(array) if array.dtype.kind in "biuf" else np.array([-1])
    if not (np.isin(values, (0, 1)).all() or np.isin(values, (0, 255)).all()):
        found = f"{array.dtype} from {values.min():g} to {values.max():g}" if values[0] != -1 else array.dtype
        raise RegionError(f"{part}: found {found}; expected bool, 0 and 1, or 0 and 255. Save mask > 127")
    return array > 0


def _content(file: Path) -> Any:
    try:
        status = file.stat()
        return _kept_content(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise RegionError(f"cannot be read: {error.strerror}; expected JSON. Copy it again") from error
    except ValueError as error:
        raise RegionError(f"no JSON: {error}; expected a whole file. Export or copy it again") from error


@lru_cache(maxsize=2)
def _kept_content(file: Path, _changed: int, _length: int) -> Any:
    """What a JSON file holds; kept, since one may tell the masks of thousands of photographs."""
    return read_json(file)


def _instances_beside(file: Path) -> Iterator[dict[str, Any]]:
    """Contents of the other files of COCO's instances in the same folder; others are passed over."""
    for other in sorted(file.parent.glob("*.json")):
        try:
            content = _content(other)
        except RegionError:
            continue
        if is_coco(content):
            yield content
