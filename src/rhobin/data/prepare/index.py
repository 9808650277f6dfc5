"""The index of a prepared root: every array in a file of its own, opened in place."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.manifest import build_manifest
from rhobin.behave.release import Frames, Release, Views
from rhobin.behave.skips import REASONS, Skip
from rhobin.behave.writers.tree import write_json
from rhobin.data.prepare.recipe import (
    BESIDE,
    FORMAT,
    MANIFEST,
    PREPARED,
    STORED,
    TEMPLATES,
    Recipe,
    record_file,
)
from rhobin.data.prepare.sequence import list_sequences
from rhobin.data.prepare.templates import write_templates
from rhobin.types import Camera

_FRAMES = tuple(field.name for field in fields(Frames))
_VIEWS = tuple(field.name for field in fields(Views) if field.name != "files")


def write_index(releases: list[Release], out: Path, recipe: Recipe) -> None:
    """Write index, templates, manifest and, last, `prepared.json`, whose presence says: complete."""
    part = out / ".index.part"
    shutil.rmtree(part, ignore_errors=True)
    records = {release.split: _records(release, out) for release in releases}
    for release in releases:
        _write_arrays(part / release.split, release, records[release.split])
    shutil.rmtree(out / "index", ignore_errors=True)
    part.rename(out / "index")
    write_templates(out / TEMPLATES, releases[0].templates)
    for name in BESIDE:
        if (releases[0].root / name).is_file():
            _copy(releases[0].root / name, out / name)
    skips = [skip for release in releases for skip in _skips(release, records[release.split])]
    manifest = build_manifest(releases, skips)
    files = {"views": _view_digests(releases, records), "index": file_digests(out)}
    write_json(out / MANIFEST, manifest | {"files": files})
    header = {"format": FORMAT, "recipe": asdict(recipe)}
    write_json(out / PREPARED, header | {"splits": {r.split: header_facts(r) for r in releases}})


def read_header(root: Path) -> dict[str, Any]:
    """The facts of a prepared root.

    Raises:
        ValueError: it was written by another version, or is not complete.
    """
    path = root / PREPARED
    try:
        header = json.loads(path.read_text())
        found = header["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the header of a prepared root: {error!r}") from error
    if found != FORMAT:
        raise ValueError(f"{path}: has format {found}, this version reads {FORMAT}; run rhobin prepare again")
    return header


def read_manifest(root: Path) -> dict[str, Any]:
    """What a prepared root holds and what was left out: as `rhobin.behave.manifest`, with digests of files.

    Raises:
        ValueError: it is missing or broken.
    """
    path = root / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        manifest["files"]["index"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: missing or broken ({error!r}); run rhobin prepare again") from error
    return manifest


def read_arrays(root: Path, split: str) -> tuple[Frames, Views, np.ndarray]:
    """Frames, views and rows of `STORED` of a split, mapped from disk; nothing is read yet.

    The views' files are the raw ones of the views that could not be used, in order.
    """
    folder = root / "index" / split

    def column(name: str) -> Any:
        try:
            return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder / name}.npy: part of the index is missing or broken ({error}); run "
                "rhobin prepare again, which keeps the views that are complete"
            ) from error

    frames = Frames(**{name: column(f"frames_{name}") for name in _FRAMES})
    views = {name: column(f"views_{name}") for name in _VIEWS}
    stored = column("stored")
    lengths = {len(array) for array in views.values()} | {len(stored)}
    if len(lengths) > 1 or stored.dtype != STORED:
        raise ValueError(f"{folder}: the parts of the index do not belong together; run rhobin prepare again")
    return frames, Views(**views, files=column("unusable")), stored


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


def _records(release: Release, out: Path) -> list[dict[str, Any]]:
    files = [record_file(out, release.split, sequence.name) for sequence in list_sequences(release)]
    return [json.loads(file.read_text()) for file in files]


def _write_arrays(folder: Path, release: Release, records: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    stored = np.zeros(len(release.views.frame), STORED)
    for name in STORED.names or ():
        stored[name] = [value for record in records for value in record[name]]
    for name in _FRAMES:
        np.save(folder / f"frames_{name}.npy", getattr(release.frames, name), allow_pickle=False)
    for name in _VIEWS:
        np.save(folder / f"views_{name}.npy", getattr(release.views, name), allow_pickle=False)
    np.save(folder / "stored.npy", stored, allow_pickle=False)
    np.save(folder / "unusable.npy", release.views.files[stored["reason"] != b""], allow_pickle=False)


def _skips(release: Release, records: list[dict[str, Any]]) -> list[Skip]:
    reasons = [reason for record in records for reason in record["reason"]]
    faults = [fault for record in records for fault in record["bad_file"]]
    return [
        Skip(str(release.views.files[row][faults[row]]), why, REASONS[why], 1)
        for row, why in enumerate(reasons)
        if why
    ]


def _view_digests(releases: list[Release], records: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """SHA-256 over all stored files of each sequence."""
    return {
        f"{release.split}/{sequence.name}": record["sha256"]
        for release in releases
        for sequence, record in zip(list_sequences(release), records[release.split], strict=True)
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)
