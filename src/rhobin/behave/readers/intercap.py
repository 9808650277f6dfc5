"""Reading InterCap as a second dataset behind the same record.

What it lacks against BEHAVE: SMPL-H bodies (it has SMPL-X, so `has_body` is False), masks (they come with the
challenge's package of 2024 only), a visible fraction, and a usable `08.ply` in its repository.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.builder import FileNames, FrameRecord, ReleaseBuilder
from rhobin.behave.exceptions import BROKEN_TEMPLATE, known_exceptions
from rhobin.behave.layout import KINECTS, file_sizes
from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.intercap_files import (
    CAMERAS,
    FITS,
    IMAGES,
    OBJECT_FILES,
    SUBJECTS,
    gender_of,
    object_of,
    read_intercap_camera,
    view_patterns,
)
from rhobin.behave.release import Release
from rhobin.objects.scans import read_mesh, require_metres
from rhobin.objects.template import Template, make_template
from rhobin.pickles import BrokenFileError, UnsafePickleError, load_pickle

_BODY = (("global_orient", 3), ("body_pose", 63), ("transl", 3))
_OBJECT = (("ob_pose", 3), ("ob_trans", 3))
_MISSING = ("missing_color", "missing_person_mask", "missing_object_mask")
_NO_MASKS = "no such file; InterCap's own download has no masks, the challenge's package of 2024 does"


def read_intercap(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read subjects 1 to 8 ("train") or 9 and 10 ("test"), as VisTracker splits them.

    Cameras keep InterCap's numbers: 1, which is the world, to 6. Asking for BEHAVE's four Kinects, the
    default everywhere, means all six. Poses hold SMPL-X's root and 21 body joints, which SMPL-H shares; hands
    and shape stay zero and `trans` is SMPL-X's own: none of it is a ground truth of SMPL-H.
    """
    cameras = CAMERAS if tuple(kinects) == KINECTS else tuple(kinects)
    known, broken = _templates(root / "objs") if templates is None else (dict(templates), {})
    builder = ReleaseBuilder(root, split, "intercap", known)
    indices = {number: builder.add_camera(number, read_intercap_camera(root, number)) for number in cameras}
    for subject in SUBJECTS.get(split, ()):
        for folder in sorted((root / IMAGES / subject).glob("*/Seg_*")):
            _add_sequence(builder, folder.relative_to(root / IMAGES).as_posix(), indices, broken)
    return builder.release()


def _templates(folder: Path) -> tuple[dict[str, Template], dict[str, str]]:
    """Readable templates by name, about their vertex mean, and what is wrong with the others."""
    found, broken = {}, {}
    for name in sorted(OBJECT_FILES):
        try:
            verts, faces, colors = read_mesh(folder / OBJECT_FILES[name])
            require_metres(str(folder / OBJECT_FILES[name]), verts)
            found[name] = make_template(name, verts - verts.mean(axis=0), faces, colors=colors)
        except (OSError, ValueError) as error:
            broken[name] = str(error)
            warnings.warn(f"{name} cannot be used: {error}", stacklevel=3)
    if not found:
        raise FileNotFoundError(f"expected InterCap's templates 01.ply to 10.ply at {folder}, none is usable")
    return found, broken


def _add_sequence(
    builder: ReleaseBuilder, sequence: str, cameras: Mapping[int, int], broken: Mapping[str, str]
) -> None:
    """Add the frames of `<subject>/<object>/Seg_<n>`."""
    subject, number, segment = sequence.split("/")
    object_name = object_of(number)
    place = builder.root / IMAGES / sequence
    if object_name not in builder.templates:
        detail = broken.get(object_name or "", f"no object of InterCap's has the number {number}")
        builder.skip(place, "unknown_object", detail, 0)
        if number in known_exceptions()[BROKEN_TEMPLATE]["templates"]:
            builder.note(BROKEN_TEMPLATE, sequence)
        return
    path = _fit_file(builder.root, sequence)
    try:
        rows = _parameters(path)
    except (OSError, ValueError) as error:
        builder.skip(path, _reason(error), str(error), 0)
        return
    name = f"{subject}_{number}_{segment.removeprefix('Seg_')}"
    sizes = _Sizes(builder.root)
    for index, row in enumerate(rows):
        frame = f"{index:05d}"
        if not np.isfinite(row).all():
            detail = f"parameters of frame {frame} are not finite"
            builder.skip(path, "bad_parameters", detail, len(cameras))
            continue
        views, listing = _views(builder, sequence, frame, cameras, sizes)
        if views:
            record = FrameRecord(frame, row, views, listing, has_body=False)
            builder.add(name, gender_of(subject), object_name, record)


def _fit_file(root: Path, sequence: str) -> Path:
    candidates = [root / folder / sequence / file for folder, file in FITS]
    return next((path for path in candidates if path.is_file()), candidates[1])


def _parameters(path: Path) -> np.ndarray:
    """Rows (T, 175) in the order of `FrameRecord.parameters`, from arrays over time or a list of frames."""
    content = load_pickle(path, tensors=True)
    orient, pose, shift = (_column(path, content, key, width) for key, width in _BODY)
    angle, place = (_column(path, content, key, width) for key, width in _OBJECT)
    lengths = {len(column) for column in (orient, pose, shift, angle, place)}
    if len(lengths) > 1:
        raise ValueError(f"{path}: expected as many bodies as object poses, found {sorted(lengths)}")
    unknown = np.zeros((len(orient), 90 + 10))
    return np.concatenate([orient, pose, unknown, shift, angle, place], axis=1)


def _column(path: Path, content: Any, key: str, width: int) -> np.ndarray:
    try:
        values = [frame[key] for frame in content] if isinstance(content, list) else content[key]
        rows = [as_floats(value).reshape(width) for value in values]
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ValueError(f"{path}: expected {key} of {width} numbers a frame: {error!r}") from error
    return np.stack(rows) if rows else np.zeros((0, width))


class _Sizes:
    """Sizes of files; a folder is listed once."""

    def __init__(self, root: Path):
        self.root = root
        self.known: dict[str, dict[str, int]] = {}

    def of(self, path: str) -> int | None:
        folder, _, name = path.rpartition("/")
        if folder not in self.known:
            self.known[folder] = file_sizes(self.root / folder)
        return self.known[folder].get(name)


def _views(
    builder: ReleaseBuilder, sequence: str, frame: str, cameras: Mapping[int, int], sizes: _Sizes
) -> tuple[dict[int, tuple[int, FileNames]], str]:
    """Usable views of a frame, and the names and sizes of their files."""
    views: dict[int, tuple[int, FileNames]] = {}
    listing = ""
    for number, camera in cameras.items():
        files = []
        for missing, candidates in zip(_MISSING, view_patterns(sequence, number, frame), strict=True):
            file = next((name for name in candidates if sizes.of(name) is not None), None)
            if file is None:
                detail = "no such file" if missing == "missing_color" else _NO_MASKS
                usual = next(name for name in candidates if name.endswith(".jpg"))
                builder.skip(builder.root / usual, missing, detail, 1)
                break
            if sizes.of(file) == 0:
                builder.skip(builder.root / file, "empty_file", "zero bytes", 1)
                break
            files.append(file)
        else:
            color, person, obj = files
            views[number] = (camera, (color, person, obj))
            listing += "".join(f"{file} {sizes.of(file)}\n" for file in files)
    return views, listing


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "missing_object_fit"
    if isinstance(error, UnsafePickleError):
        return "unsafe_pickle"
    return "broken_pickle" if isinstance(error, BrokenFileError) else "bad_parameters"
