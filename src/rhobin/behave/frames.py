"""One frame folder: fitted parameters and the image files of each Kinect."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.layout import (
    COLORS,
    OBJECT_MASKS,
    PERSON_MASKS,
    object_dirs,
    object_fit_file,
    person_fit_file,
)
from rhobin.behave.skips import Skip
from rhobin.pickles import BrokenFileError, UnsafePickleError, load_pickle

_PERSON = (("pose", 156), ("betas", 10), ("trans", 3))
_OBJECT = (("angle", 3), ("trans", 3))
_IMAGES = (
    ("missing_color", COLORS),
    ("missing_person_mask", PERSON_MASKS),
    ("missing_object_mask", OBJECT_MASKS),
)


@dataclass
class FrameRecord:
    """A usable frame.

    Attributes:
        name: folder name.
        parameters: (175,) pose, betas, trans, object angle, object trans.
        views: file names of colour, person mask and object mask by Kinect.
        listing: names and sizes of those files, for the data hash.
    """

    name: str
    parameters: np.ndarray
    views: dict[int, tuple[str, str, str]]
    listing: str
    sequence: int = field(default=-1)
    gender: int = field(default=-1)
    object_id: int = field(default=-1)


class UnusableError(ValueError):
    """A file of a frame that is missing or cannot be used.

    Attributes:
        file: the file.
        reason: a key of `rhobin.behave.skips.REASONS`.
    """

    def __init__(self, file: Path, reason: str, detail: str):
        super().__init__(detail)
        self.file, self.reason = file, reason


class FrameReader:
    """Reads the frames of one sequence and appends what it leaves out to `skips`."""

    def __init__(self, root: Path, object_name: str, kinects: tuple[int, ...], skips: list[Skip]):
        self.root, self.kinects, self.skips = root, kinects, skips
        self.object_dirs = object_dirs(object_name)

    def read(self, folder: Path) -> FrameRecord | None:
        """The frame in `folder`, or None when it has no usable parameters or no usable view."""
        candidates = [object_fit_file(folder, name) for name in self.object_dirs]
        try:
            person = _fit([person_fit_file(folder)], "missing_person_fit", _PERSON)
            placed = _fit(candidates, "missing_object_fit", _OBJECT)
        except UnusableError as why:
            self._skip(why, len(self.kinects))
            return None
        with os.scandir(folder) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries if entry.name.startswith("k")}
        views = {}
        for kinect in self.kinects:
            try:
                views[kinect] = _view(folder, kinect, sizes)
            except UnusableError as why:
                self._skip(why, 1)
        if not views:
            return None
        listing = "".join(f"{name} {sizes[name]}\n" for files in views.values() for name in files)
        return FrameRecord(folder.name, np.concatenate([person, placed]), views, listing)

    def _skip(self, why: UnusableError, views: int) -> None:
        self.skips.append(Skip(str(why.file.relative_to(self.root)), why.reason, str(why), views))


def _fit(candidates: list[Path], missing: str, keys: tuple[tuple[str, int], ...]) -> np.ndarray:
    """Parameters from the first of the candidate files that exists."""
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise UnusableError(candidates[0], missing, "no such file")
    try:
        return _parameters(load_pickle(path), keys)
    except UnsafePickleError as error:
        raise UnusableError(path, "unsafe_pickle", str(error)) from error
    except BrokenFileError as error:
        raise UnusableError(path, "broken_pickle", str(error)) from error
    except ValueError as error:
        raise UnusableError(path, "bad_parameters", str(error)) from error


def _view(folder: Path, kinect: int, sizes: dict[str, int]) -> tuple[str, str, str]:
    """Names of a view's colour, person mask and object mask, given the sizes of the folder's files."""
    files = []
    for missing, endings in _IMAGES:
        names = [f"k{kinect}.{ending}" for ending in endings]
        name = next((name for name in names if name in sizes), None)
        if name is None:
            raise UnusableError(folder / names[0], missing, "no such file")
        if sizes[name] == 0:
            raise UnusableError(folder / name, "empty_file", "zero bytes")
        files.append(name)
    return files[0], files[1], files[2]


def _parameters(content: Any, keys: tuple[tuple[str, int], ...]) -> np.ndarray:
    """Named vectors of a fit file, joined."""
    parts = []
    for key, length in keys:
        try:
            values = np.asarray(content[key], np.float64).reshape(-1)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"expected {key} ({length} numbers): {error!r}") from error
        if len(values) != length:
            raise ValueError(f"expected {length} numbers in {key}, found {len(values)}")
        if not np.isfinite(values).all():
            raise ValueError(f"{key} is not finite")
        parts.append(values)
    return np.concatenate(parts)
