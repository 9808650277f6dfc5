"""One frame folder: fitted parameters and the image files of each Kinect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.builder import FileNames, FrameRecord, ReleaseBuilder
from rhobin.behave.layout import (
    COLORS,
    OBJECT_MASKS,
    PERSON_MASKS,
    file_sizes,
    object_dirs,
    object_fit_file,
    person_fit_file,
)
from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.info import SequenceInfo
from rhobin.pickles import BrokenFileError, UnsafePickleError, load_pickle

PERSON = (("pose", 156), ("betas", 10), ("trans", 3))
OBJECT = (("angle", 3), ("trans", 3))
_IMAGES = (
    ("missing_color", COLORS, "color.jpg"),
    ("missing_person_mask", PERSON_MASKS, "person_mask.jpg"),
    ("missing_object_mask", OBJECT_MASKS, "obj_rend_mask.jpg"),
)


class UnusableError(ValueError):
    """A file of a frame or a sequence that is missing or cannot be used.

    Attributes:
        file: the file.
        reason: a key of `rhobin.behave.skips.REASONS`.
    """

    def __init__(self, file: Path, reason: str, detail: str):
        super().__init__(detail)
        self.file, self.reason = file, reason


class FrameReader:
    """Reads the frames of one sequence; what it leaves out is noted in the builder."""

    def __init__(self, builder: ReleaseBuilder, info: SequenceInfo, cameras: Mapping[int, int]):
        self.builder, self.info, self.cameras = builder, info, cameras
        self.object_dirs = object_dirs(info.object_name) if info.object_name else ()

    def read(self, folder: Path) -> FrameRecord | None:
        """The frame in `folder`, or None when it has no usable parameters or no usable view."""
        candidates = [object_fit_file(folder, name) for name in self.object_dirs]
        has_person, has_object = self.info.has_person, bool(candidates)
        try:
            person = _fit([person_fit_file(folder)] if has_person else [], "missing_person_fit", PERSON)
            placed = _fit(candidates, "missing_object_fit", OBJECT)
        except UnusableError as why:
            self.builder.skip(why.file, why.reason, str(why), len(self.cameras))
            return None
        prefix = folder.relative_to(self.builder.root).as_posix()
        views: dict[int, tuple[int, FileNames]] = {}
        listing = ""
        shown = (True, has_person, has_object)
        sizes = file_sizes(folder)
        for kinect, camera in self.cameras.items():
            try:
                names = view_names(folder, kinect, sizes, shown)
            except UnusableError as why:
                self.builder.skip(why.file, why.reason, str(why), 1)
                continue
            color, person_mask, object_mask = (name and f"{prefix}/{name}" for name in names)
            views[kinect] = (camera, (color, person_mask, object_mask))
            listing += "".join(f"{name} {sizes[name]}\n" for name in names if name)
        if not views:
            return None
        return FrameRecord(
            folder.name,
            np.concatenate([person, placed]),
            views,
            listing,
            has_body=has_person,
            has_object=has_object,
        )


def _fit(candidates: list[Path], missing: str, keys: tuple[tuple[str, int], ...]) -> np.ndarray:
    """Parameters from the first of the candidate files that exists; zeros without candidates."""
    if not candidates:
        return np.zeros(sum(length for _, length in keys))
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise UnusableError(candidates[0], missing, "no such file")
    content = load_or_tell(path)
    try:
        return vectors(content, keys)
    except ValueError as error:
        raise UnusableError(path, "bad_parameters", str(error)) from error


def load_or_tell(path: Path) -> Any:
    """Plain data of a pickle; tensors of torch in it are left unread.

    Raises:
        UnusableError: it is broken, or would run code.
    """
    try:
        return load_pickle(path, tensors=True)
    except UnsafePickleError as error:
        raise UnusableError(path, "unsafe_pickle", str(error)) from error
    except (BrokenFileError, OSError) as error:
        raise UnusableError(path, "broken_pickle", str(error)) from error


def view_names(
    folder: Path,
    kinect: int,
    sizes: Mapping[str, int],
    shown: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[str, str, str]:
    """Names of a view's colour, person mask and object mask, given the sizes of the folder's files.

    Args:
        folder: of the frame.
        kinect: which Kinect.
        sizes: sizes of the folder's files by name.
        shown: which of the three there are; the others' names are empty.

    Raises:
        UnusableError: one is missing or has no bytes.
    """
    color, person, obj = (
        first_present(folder, f"k{kinect}.", endings, sizes, missing, usual) if there else ""
        for (missing, endings, usual), there in zip(_IMAGES, shown, strict=True)
    )
    return color, person, obj


def first_present(
    folder: Path, start: str, endings: tuple[str, ...], sizes: Mapping[str, int], missing: str, usual: str
) -> str:
    """The first name that a folder has, given the sizes of its files.

    Args:
        folder: for errors.
        start: of the name.
        endings: what may follow, in the order to try.
        sizes: sizes of the folder's files by name.
        missing: the reason to give where there is none.
        usual: the ending that the release has, to be named then.

    Raises:
        UnusableError: there is none, or it has no bytes.
    """
    name = next((start + ending for ending in endings if start + ending in sizes), None)
    if name is None:
        raise UnusableError(folder / (start + usual), missing, "no such file")
    if sizes[name] == 0:
        raise UnusableError(folder / name, "empty_file", "zero bytes")
    return name


def vectors(content: Any, keys: tuple[tuple[str, int], ...]) -> np.ndarray:
    """Named vectors of a fit, joined.

    Raises:
        ValueError: one is missing, has another length or is not finite.
    """
    parts = []
    for key, length in keys:
        try:
            values = as_floats(content[key]).reshape(-1)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"expected {key} ({length} numbers): {error!r}") from error
        if len(values) != length:
            raise ValueError(f"expected {length} numbers in {key}, found {len(values)}")
        if not np.isfinite(values).all():
            raise ValueError(f"{key} is not finite")
        parts.append(values)
    return np.concatenate(parts)
