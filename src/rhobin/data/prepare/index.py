"""The index of a prepared root: every array in a file of its own, opened in place."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.release import Frames, Release, Views
from rhobin.data.prepare.recipe import (
    BESIDE,
    FORMAT,
    MANIFEST,
    PREPARED,
    TEMPLATES,
    UNFINISHED,
    Recipe,
)
from rhobin.files import read_json, read_sealed
from rhobin.types import Camera

FRAME_ARRAYS = tuple(field.name for field in fields(Frames))
VIEW_ARRAYS = tuple(field.name for field in fields(Views) if field.name != "files")


def read_header(root: Path) -> dict[str, Any]:
    """The facts of a prepared root.

    Raises:
        ValueError: it was written by another version (says how to prepare it again), is not complete, or was
            changed.
    """
    path = root / PREPARED
    try:
        header = read_json(path)
        found = header["format"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path}: not the header of a prepared root: {error!r}") from error
    if found != FORMAT:
        raise ValueError(f"{path}: has format {found}, this version reads {FORMAT}; run {_command(root)}")
    return read_sealed(path)


def read_manifest(root: Path) -> dict[str, Any]:
    """What a prepared root holds and what was left out: as `rhobin.behave.manifest`, with digests of files.

    Raises:
        ValueError: it is missing or broken.
    """
    path = root / MANIFEST
    try:
        return read_sealed(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: missing or broken ({error!r}); run rhobin prepare again") from error


def read_arrays(root: Path, split: str) -> tuple[Frames, Views, np.ndarray]:
    """Frames, views and rows of `STORED` of a split, mapped from disk; nothing is read yet.

    The views' files are the raw ones of the views that could not be used, in order.
    """
    folder = root / "index" / split
    _require_written(root, folder)

    def column(name: str) -> Any:
        try:
            return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder / name}.npy: part of the index is missing or broken ({error}); run "
                "rhobin prepare again, which keeps the views that are complete"
            ) from error

    frames = Frames(**{name: column(f"frames_{name}") for name in FRAME_ARRAYS})
    views = {name: column(f"views_{name}") for name in VIEW_ARRAYS}
    stored = column("stored")
    return frames, Views(**views, files=column("unusable")), stored


def _require_written(root: Path, folder: Path) -> None:
    """Refuse an index whose bytes are not those that were written: numbers in it would be believed."""
    written, found = read_manifest(root)["files"]["index"], _digests(root, sorted(folder.glob("*.npy")))
    changed = sorted(name for name, digest in found.items() if written.get(name) != digest)
    if changed:
        raise ValueError(
            f"{root / changed[0]}: changed since it was written ({len(changed)} such files); run rhobin "
            "prepare again, which keeps the views that are complete"
        )


def header_facts(release: Release) -> dict[str, Any]:
    """What the header says of a split."""
    return {
        "layout": release.layout,
        "data_hash": release.data_hash,
        "sequences": release.sequences,
        "cameras": [_plain(vars(camera)) for camera in release.cameras],
        "skips": [vars(skip) for skip in release.skips],
        "exceptions": release.exceptions,
    }


def file_digests(root: Path) -> dict[str, str]:
    """SHA-256 of index, templates and the files beside them."""
    files = [*sorted((root / "index").rglob("*.npy")), root / TEMPLATES, *(root / name for name in BESIDE)]
    return _digests(root, files)


def _digests(root: Path, files: list[Path]) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def read_cameras(facts: dict[str, Any]) -> list[Camera]:
    """Cameras from the header of a split."""
    found = []
    for camera in facts["cameras"]:
        values: dict[str, Any] = {
            key: np.array(value) if isinstance(value, list) else value for key, value in camera.items()
        }
        found.append(Camera(**values))
    return found


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}


def _command(root: Path) -> str:
    """What prepares a root again as it was."""
    try:
        raw = json.loads((root / MANIFEST).read_bytes())["root"]
    except (OSError, ValueError, KeyError, TypeError):
        raw = "ROOT"
    return prepare_command(raw, str(root), read_recipe(root) or Recipe())


def prepare_command(raw: str, out: str, recipe: Recipe) -> str:
    """What prepares a raw root with these options."""
    words, usual = ["rhobin", "prepare", raw, out], asdict(Recipe())
    for name, value in asdict(recipe).items():
        if value != usual[name]:
            words += [f"--{name}", *([] if value is True else [str(value)])]
    return shlex.join(words)


def read_recipe(root: Path) -> Recipe | None:
    """How the views of a prepared root are stored, complete or not; None where it does not say."""
    for name in (PREPARED, UNFINISHED):
        try:
            return Recipe(**json.loads((root / name).read_bytes())["recipe"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
